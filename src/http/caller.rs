//! Who calls: the subject of a bearer token, with role, agency and district. Must never let a
//! request on without one.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use uuid::Uuid;

use super::Api;
use super::policy::{Endpoint, Mask, Reach, mask, reach};
use super::problem::Problem;
use crate::store::Token;
use crate::{clock, crypto};

/// The longest header that is looked at.
const HEADER_BYTES_MAX: usize = 256;

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The token's identity.
    pub(crate) token: Uuid,
    pub(crate) subject: Name,
    pub(crate) role: Role,
    pub(crate) agency: Option<Name>,
    pub(crate) district: Option<Name>,
}

impl Caller {
    /// As the core knows it.
    pub(crate) fn actor(&self) -> Actor {
        Actor { subject: self.subject.clone(), role: self.role, agency: self.agency.clone() }
    }

    /// How far the caller sees of an endpoint.
    ///
    /// # Errors
    /// Nothing of it.
    pub(crate) fn may(&self, endpoint: Endpoint) -> Result<Reach, Problem> {
        let reach = reach(self.role, self.agency.as_ref(), self.district.as_ref(), endpoint);
        reach.ok_or_else(|| Problem::forbidden(endpoint.title()))
    }

    /// The token by which somebody came still counts.
    ///
    /// # Errors
    /// It does not, or that cannot be found out.
    pub(crate) async fn still_counts(&self, api: &Api) -> Result<(), Problem> {
        let token = api.engine.store().token_by_id(self.token).await?;
        token.filter(counts).map(drop).ok_or_else(Problem::unauthenticated)
    }

    /// How much of a reviewer the caller is shown.
    pub(crate) const fn mask(&self) -> Mask {
        mask(self.role)
    }
}

fn counts(token: &Token) -> bool {
    token.revoked_at.is_none() && token.expires_at > clock::wall()
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).filter(|one| one.len() <= HEADER_BYTES_MAX);
        let header = header.and_then(|header| header.to_str().ok());
        let (scheme, token) = header
            .and_then(|header| header.split_once(' '))
            .ok_or_else(Problem::unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthenticated());
        }
        let hash = crypto::token_hash(token.trim());
        let token = api.engine.store().token(hash).await?.ok_or_else(Problem::unauthenticated)?;
        if !counts(&token) {
            return Err(Problem::unauthenticated());
        }
        let (subject, role) = (token.subject, token.role);
        let (agency, district, token) = (token.agency, token.district, token.id);
        api.limits.request(token, role).await?;
        let caller = Self { token, subject, role, agency, district };
        // Whoever reads the body asks once more, if that takes long.
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}
