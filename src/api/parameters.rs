//! Parameters of the path and the query, each read by its type, with all faults reported together.

use std::marker::PhantomData;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use poem::{FromRequest, Request, RequestBody, http::Uri};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::contract::{
    Fault, Problem, Scalar, TaskId, into_poem, note_ignored,
    registry::{MetaParamIn, MetaSchemaRef, Registry},
};

/// A parameter of the query string. Its faults are collected by [`ParameterFaults`].
#[derive(Debug)]
pub struct Query<T> {
    name: &'static str,
    text: Result<Option<ParameterText>, String>,
    value: PhantomData<fn() -> T>,
}

/// The text of a parameter.
#[derive(Debug)]
struct ParameterText {
    /// Decoded: each `+` is a space, as HTML forms write it.
    decoded: String,
    /// Decoded with each `+` left as it is, if there was one.
    with_plus: Option<String>,
}

impl ParameterText {
    fn read<T: Scalar>(&self) -> Result<T, String> {
        T::from_text(&self.decoded).map_err(|fault| {
            let meant = self.with_plus.as_ref().map(|text| T::from_text(text));
            let plus = "has a `+`, which stands for a space in a query string; write %2B instead";
            match meant {
                Some(Ok(_)) => plus.to_owned(),
                Some(Err(other)) if other != fault => format!("{plus}; and it {other}"),
                _ => fault,
            }
        })
    }
}

impl<'a, T: Scalar + poem_openapi::types::Type> ApiExtractor<'a> for Query<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = T;
    type ParamRawType = T;

    fn register(registry: &mut Registry) {
        // Not imported: its `is_empty` would hide that of texts.
        <T as poem_openapi::types::Type>::register(registry);
    }

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Query)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(<T as Scalar>::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        options: ExtractParamOptions<T>,
    ) -> poem::Result<Self> {
        Ok(Self {
            name: options.name,
            text: text_of(request, options.name),
            value: PhantomData,
        })
    }
}

/// The text of a parameter, if it is there.
fn text_of(request: &Request, name: &str) -> Result<Option<ParameterText>, String> {
    let is_it =
        |n: &str| n == name || n.contains(['%', '+']) && decoded(n).as_deref() == Some(name);
    let mut values = pairs(request).filter(|(n, _)| is_it(n));
    let Some((_, value)) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err("must not be given more than once".to_owned());
    }
    Ok(Some(ParameterText {
        decoded: decoded(value).ok_or("must be percent-encoded UTF-8")?,
        with_plus: value
            .contains('+')
            .then(|| decoded(&value.replace('+', "%2B")))
            .flatten(),
    }))
}

fn pairs(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    let query = request.uri().query().unwrap_or_default();
    query
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
}

/// Decodes `application/x-www-form-urlencoded`; `None` if the result is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// The names in the query string, to find unknown ones: a misspelt filter must not list everything.
#[derive(Debug)]
pub struct QueryNames(Vec<String>);

impl<'a> FromRequest<'a> for QueryNames {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(
            pairs(request)
                .map(|(name, _)| decoded(name).unwrap_or_default())
                .collect(),
        ))
    }
}

/// Characters that may occur in the address of a request, but must be percent-encoded in a link (RFC 3986 §2). Those
/// outside of ASCII must be, too.
const NOT_IN_LINKS: &AsciiSet = &CONTROLS.add(b'<').add(b'>').add(b'"');

/// For an operation without parameters in the query: refuses any, since a misspelt one must not be ignored.
#[derive(Debug)]
pub struct NoQuery;

impl<'a> FromRequest<'a> for NoQuery {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let names = <QueryNames as FromRequest>::from_request(request, body).await?;
        let faults = names.0.iter().take(100).map(|name| {
            Fault::at_parameter(name, "is not a parameter of this operation, which has none")
        });
        match faults.collect::<Vec<_>>() {
            faults if faults.is_empty() => Ok(Self),
            faults => Err(into_poem(Problem::parameters(faults))),
        }
    }
}

/// The address that was asked for.
#[derive(Debug)]
pub struct Address(Uri);

impl<'a> FromRequest<'a> for Address {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(request.original_uri().clone()))
    }
}

impl Address {
    /// The `Link` to the next page (RFC 8288): the same address, with the parameters `with` set, which replace earlier
    /// ones, and the parameters `without` removed. The new values must not need percent-encoding.
    pub fn next_page(&self, with: &[(&str, String)], without: &[&str]) -> String {
        let query = self.0.query().unwrap_or_default();
        let is_dropped =
            |name: &str| without.contains(&name) || with.iter().any(|(n, _)| *n == name);
        let kept = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !pair.is_empty() && !decoded(name).is_some_and(|name| is_dropped(&name))
        });
        let kept = kept.map(str::to_owned);
        let new = with.iter().map(|(name, value)| format!("{name}={value}"));
        let query = kept.chain(new).collect::<Vec<_>>().join("&");
        let query = utf8_percent_encode(&query, NOT_IN_LINKS);
        format!("<{}?{query}>; rel=\"next\"", self.0.path())
    }
}

/// Collects what is wrong with the parameters of a request.
#[derive(Debug, Default)]
pub struct ParameterFaults {
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl ParameterFaults {
    /// The value of a parameter; `None` if it is absent or has a fault, which is noted.
    pub fn take<T: Scalar>(&mut self, parameter: Query<T>) -> Option<T> {
        self.known.push(parameter.name);
        let value = parameter
            .text
            .and_then(|text| text.map(|text| text.read()).transpose());
        value.unwrap_or_else(|detail| {
            self.note(parameter.name, detail);
            None
        })
    }

    /// Like [`take`](Self::take), but an empty value counts as absent: `?search=&status=all`.
    pub fn take_unless_blank<T: Scalar>(&mut self, parameter: Query<T>) -> Option<T> {
        let text = parameter
            .text
            .map(|text| text.filter(|text| !text.decoded.trim().is_empty()));
        self.take(Query { text, ..parameter })
    }

    /// The value of a parameter that has several names. Those that are given must agree.
    pub fn any<T: Scalar + PartialEq, const N: usize>(
        &mut self,
        names: [Query<T>; N],
    ) -> Option<T> {
        let mut found: Option<(&str, T)> = None;
        for parameter in names {
            let name = parameter.name;
            let Some(value) = self.take_unless_blank(parameter) else {
                continue;
            };
            match &found {
                Some((first, given)) if *given != value => {
                    let detail = format!("must not contradict {first}");
                    self.note(name, detail);
                }
                Some(_) => {}
                None => found = Some((name, value)),
            }
        }
        found.map(|(_, value)| value)
    }

    /// Notes a fault of a parameter that was taken.
    pub fn note(&mut self, name: &str, detail: impl Into<String>) {
        self.faults.push(Fault::at_parameter(name, detail));
    }

    /// Ends the collecting where parameters that nobody knows are ignored, which the log says.
    ///
    /// # Errors
    /// 400 with all faults.
    pub fn check_values(self, names: &QueryNames) -> Result<(), Problem> {
        for name in names.0.iter().take(100) {
            if !self.known.contains(&name.as_str()) {
                note_ignored("the parameters of a list", name);
            }
        }
        self.check(&QueryNames(Vec::new()))
    }

    /// Ends the collecting; unknown parameters are faults.
    ///
    /// # Errors
    /// 400 with all faults.
    pub fn check(mut self, names: &QueryNames) -> Result<(), Problem> {
        for name in names
            .0
            .iter()
            .take(100)
            .filter(|name| !self.known.contains(&name.as_str()))
        {
            let known = self.known.join(", ");
            let (name, detail) = match name.as_str() {
                "" => (
                    "a parameter",
                    format!("has no name; this operation has: {known}"),
                ),
                name => (
                    name,
                    format!("is not a parameter of this operation, which has: {known}"),
                ),
            };
            self.faults.push(Fault::at_parameter(name, detail));
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::parameters(self.faults))
        }
    }
}

/// The id of a task in the path.
#[derive(Debug)]
pub struct PathId(pub TaskId);

impl<'a> ApiExtractor<'a> for PathId {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = true;
    type ParamType = TaskId;
    type ParamRawType = TaskId;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Path)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(<TaskId as Scalar>::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<TaskId>,
    ) -> poem::Result<Self> {
        // poem-openapi numbers the parameters of a path; the id is the last.
        let last = ["param1", "param0"]
            .iter()
            .find_map(|name| request.raw_path_param(name));
        let text = last.unwrap_or_default();
        let id = TaskId::from_text(text).and_then(|id| match id.get().to_string() == text {
            true => Ok(Self(id)),
            // `01` is refused, so that a task has one address.
            false => Err(format!(
                "must be written without leading zeros: {}",
                id.get()
            )),
        });
        id.map_err(|detail| into_poem(Problem::parameters(vec![Fault::at_parameter("id", detail)])))
    }
}
