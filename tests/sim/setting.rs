//! What lives share: definitions, calendars, and what the oracle knows of the world.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use duban_core::calendar::Calendar;
use duban_core::decide::Context;
use duban_core::definition::{Definition, Shelf};
use duban_core::instance::Instance;
use duban_core::name::Name;

use crate::life::Life;
use crate::oracle::almanac::Almanac;
use crate::oracle::ticket::World;

/// The agency that is the hotline itself.
pub(crate) const HOTLINE_AGENCIES: [&str; 1] = ["SZ002"];

/// Notices of which people heard later than in truth, so that much has to be recomputed: file,
/// the true day of publication, another one.
const LATE: [(&str, &str, &str); 5] = [
    ("CN-2019.toml", "2018-12-06", "2019-01-25"),
    ("CN-2021.toml", "2020-11-25", "2021-02-08"),
    ("CN-2023.toml", "2022-12-08", "2023-04-20"),
    ("CN-2025.toml", "2024-11-12", "2025-10-20"),
    ("CN-2026.toml", "2025-11-04", "2026-02-10"),
];

/// Amendments that never were: make-up days made known when they are past or near, and taken
/// back. They bring deadlines forward, as far as the next working day.
const AMENDED: (&str, &str) = (
    "CN-2022.toml",
    r#"
[[amendments]]
notice = "测试：补班"
number = "测试1号"
dated = 2022-06-20
published = 2022-06-20
url = "https://example.org/1"
text = ["测试"]
workdays_added = [{ name = "测试", days = [
    2022-06-11, 2022-06-12, 2022-06-18, 2022-06-19, 2022-06-25,
] }]

[[amendments]]
notice = "测试：停工"
number = "测试2号"
dated = 2022-06-23
published = 2022-06-23
url = "https://example.org/2"
text = ["测试"]
off_days_added = [{ name = "测试", days = [2022-06-28, 2022-06-29, 2022-07-01] }]
workdays_removed = [2022-06-25]

[[amendments]]
notice = "测试：复工"
number = "测试3号"
dated = 2022-06-27
published = 2022-06-27
url = "https://example.org/3"
text = ["测试"]
workdays_added = [{ name = "测试", days = [2022-07-02, 2022-07-03] }]
off_days_removed = [2022-06-28, 2022-06-29]
"#,
);

/// The notices as they were, and as if they had come late.
pub(crate) struct Settings {
    plain: Setting,
    late: Setting,
    /// The folder of the late ones.
    pub(crate) late_folder: PathBuf,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let folder = duban_shipped::folder("calendars");
        let late_folder = late_calendars(&folder);
        Self { plain: Setting::new(&folder), late: Setting::new(&late_folder), late_folder }
    }

    /// The workflows.
    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.plain.shelf.newest().map(AsRef::as_ref)
    }

    pub(crate) fn of(&self, life: &Life) -> &Setting {
        if life.has_late_notices { &self.late } else { &self.plain }
    }
}

fn late_calendars(folder: &Path) -> PathBuf {
    // Tests of one binary may write it at the same time: each a folder of its own.
    static WRITTEN: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = WRITTEN.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("late-calendars-{number}");
    let late = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&late).expect("a folder can be made");
    for entry in fs::read_dir(folder).expect("the folder of calendars is there") {
        let path = entry.expect("readable").path();
        let mut text = fs::read_to_string(&path).expect("a calendar can be read");
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some((_, truth, late)) = LATE.iter().find(|(file, _, _)| *file == name) {
            let (truth, late) = (format!("published = {truth}"), format!("published = {late}"));
            assert!(text.contains(&truth), "{name} was published on another day");
            text = text.replacen(&truth, &late, 1);
        }
        if name == AMENDED.0 {
            text.push_str(AMENDED.1);
        }
        fs::write(late.join(name), text).expect("a calendar can be written");
    }
    late
}

/// One state of the world.
pub(crate) struct Setting {
    shelf: Shelf,
    calendar: Calendar,
    hotline_agencies: BTreeSet<Name>,
    pub(crate) world: World,
}

impl Setting {
    fn new(folder: &Path) -> Self {
        Self {
            shelf: duban_shipped::shelf(),
            calendar: duban_shipped::calendar_of(folder),
            hotline_agencies: HOTLINE_AGENCIES.iter().map(|name| Name::from(*name)).collect(),
            world: World {
                almanac: Almanac::read(folder),
                hotline_agencies: HOTLINE_AGENCIES.iter().map(ToString::to_string).collect(),
            },
        }
    }

    /// The days on which something was published, ascending.
    pub(crate) fn publications(&self) -> Vec<i64> {
        self.world.almanac.publications().collect()
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            shelf: &self.shelf,
            calendar: &self.calendar,
            hotline_agencies: &self.hotline_agencies,
        }
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    pub(crate) fn definition(&self, instance: &Instance) -> &Definition {
        self.shelf.pinned(&instance.definition).expect("a pinned definition is on the shelf")
    }
}
