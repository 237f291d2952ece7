//! After a restore of an older state: the clocks move beyond all that was given out since that state, and is lost.
//!
//! Otherwise the same revisions and ids would be given a second time, to other changes and other tasks. A client that has seen
//! the first ones would take them for the second: its copy would miss changes, and its `If-Match` would fit.

use sea_orm::{
    ConnectionTrait as _, DbErr,
    sea_query::{Expr, ExprTrait as _, Query},
};

use super::many::GAP;
use crate::store::{
    engine::Engine,
    entity::{user_clock, user_clock::Column as Clock},
};

/// Ids that are left out: as many tasks as a user can have, unless the limit is set higher.
const IDS: i64 = 10_000;

/// Moves the clocks of all users, in one statement, and returns how many there are.
pub(in crate::store) async fn move_ahead(engine: &Engine) -> Result<u64, DbErr> {
    let ahead = || Expr::col(Clock::Revision).add(GAP);
    let update = Query::update()
        .table(user_clock::Entity)
        .value(Clock::Revision, ahead())
        .value(Clock::PurgedRevision, ahead())
        .value(Clock::ErasedRevision, ahead())
        .value(Clock::LastTaskId, Expr::col(Clock::LastTaskId).add(IDS))
        .take();
    Ok(engine.operator().execute(&update).await?.rows_affected())
}
