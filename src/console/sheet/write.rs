//! A sheet as bytes. Must never let a cell begin with what a spreadsheet takes for a formula.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use super::{Cell, Sheet};

/// What a spreadsheet needs to take text for UTF-8.
const MARK: &str = "\u{FEFF}";

/// CSV (RFC 4180) as spreadsheets in Chinese offices open it.
pub(super) fn csv(sheet: &Sheet) -> Option<Vec<u8>> {
    let mut out = MARK.as_bytes().to_vec();
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(&mut out);
    writer.write_record(&sheet.columns).ok()?;
    for row in &sheet.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => inert(text),
            Cell::Number(number) => number.to_string(),
        });
        writer.write_record(cells).ok()?;
    }
    writer.flush().ok()?;
    drop(writer);
    Some(out)
}

/// The same as a workbook of one sheet, its first row fixed and filtered.
pub(super) fn xlsx(sheet: &Sheet) -> Option<Vec<u8>> {
    let mut book = Workbook::new();
    fill(book.add_worksheet(), sheet).ok()?;
    book.save_to_buffer().ok()
}

fn fill(page: &mut Worksheet, sheet: &Sheet) -> Result<(), XlsxError> {
    page.set_name(&sheet.title)?;
    let bold = Format::new().set_bold();
    for (column, title) in (0_u16..).zip(&sheet.columns) {
        page.write_with_format(0, column, *title, &bold)?;
    }
    for (row, cells) in (1_u32..).zip(&sheet.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Text(text) => page.write_string(row, column, text)?,
                Cell::Number(number) => page.write_number(row, column, *number)?,
            };
        }
    }
    page.set_freeze_panes(1, 0)?;
    let last = u32::try_from(sheet.rows.len()).unwrap_or(u32::MAX);
    let wide = u16::try_from(sheet.columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    page.autofilter(0, 0, last, wide)?;
    page.autofit();
    Ok(())
}

/// A text that is no formula.
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_commas_stay_in_it() {
        let rows = vec![
            vec![Cell::Text("=1+1".into()), Cell::Number(3.0)],
            vec![Cell::Text("a,\"b\"".into()), Cell::Number(0.5)],
        ];
        let sheet = Sheet { title: "单".into(), columns: vec!["甲", "乙"], rows };
        let text = String::from_utf8(csv(&sheet).expect("bytes")).expect("text");
        assert_eq!(text, "\u{FEFF}甲,乙\r\n'=1+1,3\r\n\"a,\"\"b\"\"\",0.5\r\n");
        let book = xlsx(&sheet).expect("bytes");
        assert!(book.starts_with(b"PK"));
    }
}
