//! Many rows for PostgreSQL in one COPY: pages are filled and logged whole, and no arrays are made
//! and taken apart again. In binary, field by field as the columns are (PostgreSQL's manual, COPY,
//! "Binary Format"). Only to a server on the same machine, through its socket: the driver leaves
//! Nagle's algorithm at work, which holds the end of a COPY back for 40 ms on its way through TCP.
//! Must never take rows that may meet others without an error.

use super::super::rows::{Cell, Meets, Rows};

/// From so many rows on it is worth the second answer that it waits for.
const ROWS_MIN: usize = 128;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// No flags, no extension.
const HEADER: [u8; 8] = [0; 8];

const END: [u8; 2] = (-1_i16).to_be_bytes();

const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// What a row takes at least, to begin with.
const ROW_BYTES: usize = 128;

/// Whether rows go so, where they can.
pub(super) fn takes(rows: &Rows<'_>) -> bool {
    rows.len() >= ROWS_MIN && matches!(rows.meets, Meets::Refused | Meets::Stale)
}

/// The statement that takes rows of a table.
pub(super) fn statement(rows: &Rows<'_>) -> String {
    let names: Vec<&str> = rows.columns.iter().map(|(name, _)| *name).collect();
    format!("COPY {} ({}) FROM STDIN (FORMAT BINARY)", rows.table, names.join(", "))
}

/// The rows as it takes them; none if one of them is too large for it.
pub(super) fn encoded(rows: &Rows<'_>) -> Option<Vec<u8>> {
    let count = i16::try_from(rows.columns.len()).ok()?.to_be_bytes();
    let mut out = Vec::with_capacity(rows.len() * ROW_BYTES);
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&HEADER);
    for row in rows.cells.chunks(rows.columns.len()) {
        out.extend_from_slice(&count);
        for cell in row {
            field(&mut out, cell)?;
        }
    }
    out.extend_from_slice(&END);
    Some(out)
}

fn field(out: &mut Vec<u8>, cell: &Cell<'_>) -> Option<()> {
    let mut sized = |bytes: &[u8]| {
        let length = i32::try_from(bytes.len()).ok()?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
        Some(())
    };
    match cell {
        Cell::Null => {
            out.extend_from_slice(&NULL);
            Some(())
        }
        Cell::Id(id) => sized(id.as_bytes()),
        Cell::Int(number) => sized(&number.to_be_bytes()),
        Cell::Big(number) => sized(&number.to_be_bytes()),
        Cell::Text(text) => sized(text.as_bytes()),
        Cell::Blob(bytes) => sized(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::super::rows::Kind;
    use super::*;

    #[test]
    fn a_row_is_laid_out_field_by_field() {
        let columns = Cow::Borrowed(&[("a", Kind::Int), ("b", Kind::Text), ("c", Kind::Big)][..]);
        let cells = vec![Cell::Int(1), Cell::Text("字".into()), Cell::Null];
        let rows = Rows { table: "t", columns, meets: Meets::Refused, cells };
        assert_eq!(statement(&rows), "COPY t (a, b, c) FROM STDIN (FORMAT BINARY)");
        let bytes = encoded(&rows).expect("rows");
        let (head, row) = bytes.split_at(19);
        assert_eq!(head, b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        let expected = b"\0\x03\0\0\0\x04\0\0\0\x01\0\0\0\x03\xe5\xad\x97\xff\xff\xff\xff\xff\xff";
        assert_eq!(row, expected);
    }
}
