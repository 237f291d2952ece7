//! Where in a JSON document something is (RFC 6901).

use super::problem::Fault;

/// A JSON Pointer.
#[derive(Debug, Clone)]
pub struct Pointer(String);

impl Pointer {
    /// The document itself.
    pub(crate) fn root() -> Self {
        Self(String::new())
    }

    /// A member of the document.
    pub(crate) fn member(name: &str) -> Self {
        Self(format!("/{}", name.replace('~', "~0").replace('/', "~1")))
    }

    /// An item of the array here.
    pub(crate) fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// What is at `other`, a place in what is here.
    pub(super) fn then(&self, other: &Self) -> Self {
        Self(format!("{}{}", self.0, other.0))
    }

    /// A fault of what is here, with its place in the whole document.
    pub(super) fn around(&self, mut fault: Fault) -> Fault {
        if let Some(pointer) = &mut fault.pointer.0 {
            pointer.insert_str(0, &self.0);
        }
        fault
    }

    /// A fault here.
    pub(crate) fn fault(&self, detail: impl Into<String>) -> Fault {
        Fault::at_pointer(self.0.clone(), detail)
    }
}
