//! Floor 3: who may hold which token: the one place where tokens are made, for the command line and
//! the API; and the door of the console (`door`). Must never write a token, nor make one that binds
//! its holder to nothing real.

mod door;

pub use door::{Door, Entered, IDLE_MS, Inside, LONGEST_MS, Refused};

use duban_core::definition::FieldFault;
use duban_core::name::Name;
use duban_core::role::Role;
use duban_core::time::Instant;

use crate::catalog::Register;
use crate::crypto;
use crate::masking::is_somebodys;
use crate::store::Token;

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// For how many days a token counts, unless somebody says otherwise.
pub const DAYS: i64 = 365;

/// For how many days a token may count at most.
pub const DAYS_MAX: i64 = 3_650;

/// Whom a token is for.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The role.
    pub role: Role,
    /// The person or system: two tokens of one subject are one actor, whatever its case.
    pub subject: String,
    /// The agency, for roles that are bound to one.
    pub agency: Option<String>,
    /// The district, where the role can be bound to one.
    pub district: Option<String>,
    /// For how many days it counts.
    pub days: i64,
}

impl Holder {
    /// A fresh token, and its row. The token is shown once and kept nowhere.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn token(
        self,
        register: &Register,
        now: Instant,
    ) -> Result<(String, Token), Vec<FieldFault>> {
        // However it is written, one subject is one actor.
        let subject = self.subject.to_ascii_lowercase();
        let holder = Self { subject, ..self };
        let faults = holder.faults(register);
        if !faults.is_empty() {
            return Err(faults);
        }
        let token = crypto::token();
        let row = Token {
            id: crypto::identity(),
            hash: crypto::token_hash(&token),
            subject: holder.subject.into(),
            role: holder.role,
            agency: holder.agency.map(Name::from),
            district: holder.district.map(Name::from),
            created_at: now,
            expires_at: now.plus_ms(holder.days * DAY_MS),
            revoked_at: None,
        };
        Ok((token, row))
    }

    fn faults(&self, register: &Register) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let mut wrong = |field: &str, message: String| {
            faults.push(FieldFault::new(format!("/{field}"), message));
        };
        let Self { role, subject, agency, district, days } = self;
        if *role == Role::System {
            wrong("role", "system 是程序自己，不能签发".to_owned());
        }
        let number = subject.len() > 6 && subject.bytes().all(|one| one.is_ascii_digit());
        let is_code = Name::from(subject.as_str()).is_code();
        if !is_code || number || is_somebodys(subject) || *subject == Role::System.word() {
            let say = "应为 1 至 40 个字符，只能用字母、数字和“_”“-”“.”，不得为电话号码、证件号码或 system";
            wrong("subject", say.to_owned());
        }
        if role.is_bound_to_agency() != agency.is_some() {
            let which = if agency.is_some() { "不得" } else { "必须" };
            wrong("agency", format!("角色 {role}（{}）{which}填写单位代码", role.title()));
        } else if agency.as_ref().is_some_and(|code| register.agency(code).is_none()) {
            wrong("agency", "单位名册中没有这个代码，请核对".to_owned());
        }
        if district.is_some() && !role.can_be_bound_to_district() {
            wrong("district", format!("角色 {role}（{}）不能限定辖区", role.title()));
        } else if district.as_ref().is_some_and(|code| register.district(code).is_none()) {
            wrong("district", "区划名册中没有这个代码，请核对".to_owned());
        }
        if !(1..=DAYS_MAX).contains(days) {
            wrong("days", format!("应为 1 至 {DAYS_MAX} 的整数"));
        }
        faults
    }
}
