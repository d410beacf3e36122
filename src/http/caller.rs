//! Who calls: the subject of a bearer token, with role, agency and district. Must never let a
//! request on without one.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use duban_core::digest::Digest;
use duban_core::name::Name;
use duban_core::role::{Actor, Role};
use uuid::Uuid;

use super::Api;
use super::policy::{Endpoint, Mask, Reach, mask, reach};
use super::problem::Problem;
use crate::access::Inside;
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
        token
            .filter(|token| token.counts_at(clock::wall()))
            .map(drop)
            .ok_or_else(Problem::unauthenticated)
    }

    /// How much of a reviewer the caller is shown.
    pub(crate) const fn mask(&self) -> Mask {
        mask(self.role)
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let store = api.engine.store();
        let token = match parts.extensions.get::<Inside>() {
            Some(Inside(token)) => store.token_by_id(*token).await?,
            None => store.token(by_header(parts)?).await?,
        };
        let token = token.ok_or_else(Problem::unauthenticated)?;
        if !token.counts_at(clock::wall()) {
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

/// What is stored of the token that a request brings along.
fn by_header(parts: &Parts) -> Result<Digest, Problem> {
    let header = parts.headers.get(AUTHORIZATION).filter(|one| one.len() <= HEADER_BYTES_MAX);
    let header = header.and_then(|header| header.to_str().ok());
    let (_, token) = header
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .ok_or_else(Problem::unauthenticated)?;
    Ok(crypto::token_hash(token.trim()))
}
