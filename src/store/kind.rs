//! What a way to a user's data is opened for.

/// For reading.
#[derive(Debug)]
pub enum Read {}
/// For changing.
#[derive(Debug)]
pub enum Write {}
/// For both, where one operation needs both.
#[derive(Debug)]
pub enum ReadWrite {}

/// What a [`Scope`](super::Scope) is opened for. There are these three kinds, and no others.
pub trait ScopeKind: sealed::Sealed + Send + Sync + 'static {}
/// The kinds that have the methods that read.
pub trait CanRead: ScopeKind {}
/// The kinds that have the methods that write.
pub trait CanWrite: ScopeKind {}

impl ScopeKind for Read {}
impl ScopeKind for Write {}
impl ScopeKind for ReadWrite {}
impl CanRead for Read {}
impl CanRead for ReadWrite {}
impl CanWrite for Write {}
impl CanWrite for ReadWrite {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Read {}
    impl Sealed for super::Write {}
    impl Sealed for super::ReadWrite {}
}
