//! The caller on an owner path, and the header `Prefer`.

use poem::{Request, RequestBody, http::HeaderName};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::{
    access::{Access, Caller},
    contract::{
        Problem, ProblemCode, Scalar, UserIdText, into_poem,
        registry::{MetaParamIn, MetaSchema, MetaSchemaRef, Registry, inline},
    },
};

/// The caller, where the path names the owner of the tasks: the owner must be the caller. It is the parameter
/// `user_id` of the contract, and stands first in each operation, so that the order of errors is 401, 403, 400.
#[derive(Debug)]
pub struct OwnerCaller<A>(pub Caller<A>);

/// The word in the path that stands for the caller's id.
const ONESELF: &str = "me";

impl<'a, A: Access> ApiExtractor<'a> for OwnerCaller<A> {
    const TYPES: &'static [ApiExtractorType] = &[
        ApiExtractorType::SecurityScheme,
        ApiExtractorType::Parameter,
    ];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = UserIdText;
    type ParamRawType = UserIdText;

    fn register(registry: &mut Registry) {
        <Caller<A> as ApiExtractor>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        <Caller<A> as ApiExtractor>::security_schemes()
    }

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
        let caller = Caller::of(request).await.map_err(into_poem)?;
        // poem-openapi numbers the parameters of a path; the owner is the first.
        let owner = request.raw_path_param("param0").unwrap_or_default();
        if owner == ONESELF || caller.identity().is_named(owner) {
            return Ok(Self(caller));
        }
        // The answer is the same whether the other user exists or not.
        let detail = "The path names another user than your token; use your own id, or `me`.";
        let problem = Problem::new(ProblemCode::NotYourPath, detail);
        Err(into_poem(problem))
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
