//! The owner in the path, and how a client wants its answer.

use poem::{
    Request, RequestBody,
    http::{HeaderName, StatusCode},
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::{
    auth::Identity,
    contract::{
        Problem, Scalar, UserIdText,
        registry::{MetaParamIn, MetaSchema, MetaSchemaRef, inline},
    },
};

/// The owner that the path names.
#[derive(Debug)]
pub struct Owner(String);

/// Stands for whoever calls.
const ONESELF: &str = "me";

impl Owner {
    /// Makes sure that the path's owner is the caller.
    ///
    /// # Errors
    /// 403, the same whether the other user exists or not.
    pub fn check(&self, caller: &Identity) -> Result<(), Problem> {
        if self.0 == ONESELF || self.0 == caller.user_id.as_str() {
            return Ok(());
        }
        let detail = "The path names another user than your token; use your own id, or `me`.";
        Err(Problem::new(StatusCode::FORBIDDEN, "not_your_path", detail))
    }
}

impl<'a> ApiExtractor<'a> for Owner {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = UserIdText;
    type ParamRawType = UserIdText;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(<UserIdText as Scalar>::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<UserIdText>,
    ) -> poem::Result<Self> {
        // poem-openapi numbers the parameters of a path; the owner is the first.
        Ok(Self(
            request
                .raw_path_param("param0")
                .unwrap_or_default()
                .to_owned(),
        ))
    }
}

/// The header `Prefer` (RFC 7240).
#[derive(Debug)]
pub struct Prefer {
    /// Whether the client wants an empty answer.
    pub minimal: bool,
}

const PREFER: HeaderName = HeaderName::from_static("prefer");

impl<'a> ApiExtractor<'a> for Prefer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = ();
    type ParamRawType = ();

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(inline(MetaSchema {
            example: Some("return=minimal".into()),
            ..MetaSchema::new("string")
        }))
    }

    // A preference that is not understood is ignored (RFC 7240 §2).
    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let values = request
            .headers()
            .get_all(PREFER)
            .iter()
            .filter_map(|v| v.to_str().ok());
        let mut preferences = values.flat_map(|value| value.split(','));
        let minimal = preferences.any(|preference| {
            let plain: String = preference
                .chars()
                .filter(|c| !matches!(c, ' ' | '\t' | '"'))
                .collect();
            plain.eq_ignore_ascii_case("return=minimal")
        });
        Ok(Self { minimal })
    }
}
