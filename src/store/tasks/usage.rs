//! What a user stores, and how much it may be.

use sea_orm::sea_query::{Expr, ExprTrait, Query};

use super::Tasks;
use crate::store::{
    StoreError, Usage, UserLimits,
    entity::{user_clock, user_clock::Column as Clock},
    kind::CanRead,
};

impl<A: CanRead> Tasks<A> {
    /// What the user stores.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn usage(&self) -> Result<Usage, StoreError> {
        self.stored().await
    }

    /// The most that the user may store.
    pub fn limits(&self) -> UserLimits {
        self.store.limits
    }
}

impl<A> Tasks<A> {
    pub(super) async fn stored(&self) -> Result<Usage, StoreError> {
        let user = ExprTrait::eq(Expr::col(Clock::UserId), self.user.as_str());
        let clock = Query::select()
            .columns(Usage::COLUMNS)
            .from(user_clock::Entity)
            .and_where(user)
            .to_owned();
        match self.store.rows(&clock).await?.pop() {
            Some(row) => Ok(Usage::read(&row, 0)?),
            None => Ok(Usage::default()),
        }
    }
}
