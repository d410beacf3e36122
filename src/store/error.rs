//! What can go wrong with the database, told apart by code. Must never be told apart by text, nor
//! repeat values: they may be personal data.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

/// A read or write that did not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The address is none that duban can use.
    #[error("数据库地址有误：{0}")]
    Address(String),
    /// A newer duban has changed the tables.
    #[error("数据库已由更新版本的 duban 升级（{migration}），请换用新版本的程序")]
    Newer {
        /// The migration that this program does not know.
        migration: String,
    },
    /// The tables are older than this program, and nobody has brought them up to date.
    #[error("数据库中没有本程序的表，或表的版本较旧；请核对数据库地址，无误后运行 duban migrate")]
    Older,
    /// The tables are another program's.
    #[error(
        "数据库中已有其他程序的表，duban 不与其混用；请核对数据库地址，或为 duban 另建一个空的数据库"
    )]
    Foreign,
    /// Another duban serves from the same file.
    #[error("{file} 正由另一个 duban 进程使用；一个数据库文件只能由一个进程提供服务")]
    InUse {
        /// The file.
        file: String,
    },
    /// The file or its folder cannot be written.
    #[error("数据库文件不能写入，请检查文件和目录的权限")]
    ReadOnly,
    /// The file or server cannot be reached.
    #[error("无法打开数据库：{0}")]
    Unreachable(String),
    /// Others hold the database, or the server asks to try again.
    #[error("数据库正忙，请稍后重试")]
    Busy,
    /// No room left.
    #[error("数据库所在磁盘已满，请腾出空间")]
    Full,
    /// Somebody else has changed what this commit was decided on. Nothing was written.
    #[error("数据已有变化，须重新办理")]
    Stale,
    /// The database refuses the rows.
    #[error("数据库拒绝写入（代码 {code}）")]
    Refused {
        /// The database's code.
        code: String,
    },
    /// Another node has used another text under a workflow's version.
    #[error(
        "工作流 {name} 第 {version} 版与数据库中的同一版本内容不同：改动工作流须提高版本号，各节点须用同一份"
    )]
    OtherDefinition {
        /// The workflow.
        name: String,
        /// Its version.
        version: i32,
    },
    /// Stored bytes cannot be read.
    #[error("数据库中的内容无法读取：{0}")]
    Unreadable(String),
    /// Whether a commit went through is not known.
    #[error("提交结果不明")]
    Unknown,
    /// Anything else, by its kind.
    #[error("{}", said(.0))]
    Database(String),
}

/// `insufficient_privilege` of `PostgreSQL`.
const NO_RIGHT: &str = "42501";

/// What a code comes to, for whoever has to do something about it.
fn said(code: &str) -> String {
    match code {
        NO_RIGHT => format!("没有操作数据库的权限（代码 {code}），请检查数据库用户的权限"),
        "1" | "42P01" | "42703" => {
            format!(
                "数据库的表与本程序不符（代码 {code}）：请核对数据库地址；地址无误的，是表被改动或删去，请从备份恢复"
            )
        }
        _ => format!("数据库出错（代码 {code}）"),
    }
}

impl StoreError {
    /// Whether the rows are to blame, and not the machine: only then is somebody's request or
    /// ticket looked into.
    #[must_use]
    pub const fn blames_rows(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::OtherDefinition { .. })
    }

    /// Whether it stays so until somebody does something about it, also where other nodes are at the
    /// same at the same time.
    pub(super) fn lasts(&self) -> bool {
        matches!(self, Self::ReadOnly | Self::Full)
            || matches!(self, Self::Database(code) if code == NO_RIGHT)
    }

    /// What became of a commit that ended so, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Refused { .. } | Self::OtherDefinition { .. } => "refused",
            _ => "failed",
        }
    }

    pub(super) fn unreadable(what: impl Into<String>) -> Self {
        Self::Unreadable(what.into())
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(_) => Self::Busy,
            DbErr::Type(_) | DbErr::Json(_) => Self::unreadable("列的类型"),
            DbErr::Conn(RuntimeErr::SqlxError(inner))
            | DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => Self::from(inner.as_ref()),
            // Names of kinds only: the text of others may hold a value.
            other => Self::Database(kind(other)),
        }
    }
}

fn kind(error: &DbErr) -> String {
    let shown = format!("{error:?}");
    shown.split(['(', '{', ' ']).next().unwrap_or_default().to_owned()
}

impl From<&SqlxError> for StoreError {
    fn from(error: &SqlxError) -> Self {
        match error {
            SqlxError::Database(database) => {
                Self::by_code(database.code().as_deref().unwrap_or_default())
            }
            SqlxError::Io(io) if io.kind() == std::io::ErrorKind::TimedOut => {
                Self::Unreachable("服务器没有应答".to_owned())
            }
            SqlxError::Io(io) => {
                let kind = format!("{:?}", io.kind());
                Self::Unreachable(match (kind.as_str(), io.raw_os_error()) {
                    ("ConnectionRefused", _) => "该地址上没有服务器".to_owned(),
                    // A name that nobody knows is no error of the system's own.
                    ("Uncategorized", None) => "找不到主机".to_owned(),
                    ("Uncategorized", Some(code)) => format!("系统错误 {code}"),
                    _ => kind,
                })
            }
            SqlxError::PoolTimedOut => Self::Busy,
            SqlxError::PoolClosed | SqlxError::WorkerCrashed => {
                Self::Unreachable("连接已关闭".to_owned())
            }
            SqlxError::ColumnDecode { index, .. } => Self::unreadable(format!("列 {index}")),
            _ => Self::Database("driver".to_owned()),
        }
    }
}

impl StoreError {
    /// `SQLite` gives extended result codes in decimal, `PostgreSQL` five characters of SQLSTATE.
    pub(super) fn by_code(code: &str) -> Self {
        if code.len() == 5
            && let Some(class) = code.get(..2)
        {
            return match (class, code) {
                // Whether it happened the server does not know either.
                ("40", "40003") => Self::Unreachable(format!("服务器中断了事务（代码 {code}）")),
                ("40" | "55", _) | ("57", "57014") | ("25", "25P03" | "25P04") => Self::Busy,
                ("53", "53100") => Self::Full,
                ("08" | "57" | "53" | "58" | "XX", _) => {
                    Self::Unreachable(format!("服务器中断了连接（代码 {code}）"))
                }
                ("25", "25006") => Self::ReadOnly,
                // Values, constraints, sizes, and what a trigger says: all that rows can be guilty of.
                ("22" | "23" | "44" | "54" | "P0", _) => Self::Refused { code: code.to_owned() },
                // A statement, a right, a table that is another: the program's or the house's.
                _ => Self::Database(code.to_owned()),
            };
        }
        let Ok(extended) = code.parse::<u32>() else {
            return Self::Database(code.to_owned());
        };
        match extended & 0xff {
            5 | 6 => Self::Busy,
            8 => Self::ReadOnly,
            11 | 26 => Self::Unreadable("文件已损坏，或不是 SQLite 数据库".to_owned()),
            13 => Self::Full,
            7 | 9 | 10 | 15 => Self::Unreachable(format!("读写出错，代码 {code}")),
            14 => Self::Unreachable("文件不能打开或新建，请检查路径和权限".to_owned()),
            18..=20 => Self::Refused { code: code.to_owned() },
            _ => Self::Database(code.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_whose_fault_it_is() {
        let check = |code: &str, expected: &StoreError, blames_rows: bool| {
            let found = StoreError::by_code(code);
            assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(expected), "{code}");
            assert_eq!(found.blames_rows(), blames_rows, "{code}");
        };
        let refused = StoreError::Refused { code: String::new() };
        let unreachable = StoreError::Unreachable(String::new());
        for code in ["13", "53100"] {
            check(code, &StoreError::Full, false);
        }
        for code in ["5", "6", "517", "40001", "40P01", "55P03", "57014", "25P03", "25P04"] {
            check(code, &StoreError::Busy, false);
        }
        for code in ["8", "1032", "25006"] {
            check(code, &StoreError::ReadOnly, false);
        }
        for code in ["10", "778", "14", "57P01", "08006", "58030", "XX000"] {
            check(code, &unreachable, false);
        }
        for code in ["19", "2067", "1555", "23505", "22021"] {
            check(code, &refused, true);
        }
        // A missing right, column or table, a lost statement, a changed plan: no ticket is to blame.
        let other = StoreError::Database(String::new());
        for code in ["42501", "42703", "42P01", "26000", "0A000", "1", "17", "21"] {
            check(code, &other, false);
        }
        check("11", &StoreError::Unreadable(String::new()), false);
    }
}
