//! What the operating system says, as officials read it. Must never do what it speaks of.

/// What the system says, in Chinese where it is one of the usual things.
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "不存在".to_owned(),
        ErrorKind::PermissionDenied => "没有权限".to_owned(),
        ErrorKind::NotADirectory => "不是目录".to_owned(),
        ErrorKind::IsADirectory => "是目录而不是文件".to_owned(),
        ErrorKind::StorageFull => "磁盘已满".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "文件系统只读".to_owned(),
        ErrorKind::AddrInUse => "地址已被占用".to_owned(),
        ErrorKind::AddrNotAvailable => "本机没有这个地址".to_owned(),
        ErrorKind::ConnectionRefused => "连接被拒绝".to_owned(),
        ErrorKind::TimedOut => "超时".to_owned(),
        ErrorKind::Interrupted => "被中断".to_owned(),
        ErrorKind::OutOfMemory => "内存不足".to_owned(),
        ErrorKind::InvalidFilename => "文件名不能用".to_owned(),
        ErrorKind::BrokenPipe => "对方已关闭".to_owned(),
        _ => match error.raw_os_error() {
            // Of links that lead to one another.
            Some(40) if cfg!(target_os = "linux") => "符号链接互相指向，没有文件".to_owned(),
            Some(code) => format!("系统错误 {code}"),
            None => "系统错误".to_owned(),
        },
    }
}
