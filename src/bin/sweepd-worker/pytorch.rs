//! Tensors by name from what `torch.save` writes of a `state_dict`: a zip archive of a pickle and raw numbers.
//!
//! A pickle is a program. Of its language only what a dictionary of tensors needs is understood: no class is looked up
//! and nothing is called, a name that is not of these few is an error. (libtorch's own reader stumbles over the
//! `_metadata` of a `state_dict`.)

use anyhow::{Context, bail, ensure};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;
use tch::{Kind, Tensor};
use zip::{CompressionMethod, ZipArchive};

/// More tensors than any network has.
const MOST_TENSORS: usize = 100_000;
/// More bytes than the description of so many tensors takes.
const LONGEST_PICKLE: u64 = 64 << 20;

/// All tensors of floating-point numbers, as f32.
///
/// # Errors
/// What in the file is not as expected.
pub fn read(path: &Path) -> anyhow::Result<Vec<(String, Tensor)>> {
    let mut archive = ZipArchive::new(File::open(path)?).context("its zip archive is cut off or damaged")?;
    let pickle = archive.file_names().flatten().find(|name| name.ends_with("/data.pkl"));
    let pickle = pickle.context("it holds no data.pkl: torch.save did not write it")?.into_owned();
    let folder = pickle.trim_end_matches("data.pkl").to_owned();
    let described = Machine::new(&entry(&mut archive, &pickle, LONGEST_PICKLE)?).run()?;
    ensure!(!described.is_empty(), "it holds no tensors by name: save a network's state_dict()");
    let mut tensors = Vec::with_capacity(described.len());
    for (name, described) in described.iter() {
        let Some(kind) = described.storage.kind else { continue };
        let numbers = entry(&mut archive, &format!("{folder}data/{}", described.storage.key), u64::MAX)
            .with_context(|| format!("the numbers of `{name}`"))?;
        tensors.push((
            name.to_string(),
            tensor(described, kind, &numbers).with_context(|| format!("`{name}`"))?,
        ));
    }
    Ok(tensors)
}

/// An entry's bytes. torch.save compresses nothing, so no entry is longer than the file.
fn entry(archive: &mut ZipArchive<File>, name: &str, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut entry = archive.by_name(name).with_context(|| format!("it lacks {name}"))?;
    ensure!(
        entry.compression() == CompressionMethod::Stored && entry.size() <= most,
        "{name} is no entry of torch.save's"
    );
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).with_context(|| format!("{name} is damaged"))?;
    Ok(bytes)
}

fn tensor(described: &Described, kind: Kind, numbers: &[u8]) -> anyhow::Result<Tensor> {
    let Described { offset, size, stride, .. } = described;
    let width = kind.elt_size_in_bytes();
    let count = i64::try_from(numbers.len() / width)?;
    ensure!(size.len() == stride.len() && *offset >= 0, "has a shape that cannot be");
    let mut last = *offset;
    for (length, step) in size.iter().zip(stride.iter()) {
        ensure!(*length > 0 && *step >= 0, "has a shape that cannot be");
        let reach = (length - 1).checked_mul(*step).and_then(|reach| last.checked_add(reach));
        last = reach.context("has a shape that cannot be")?;
    }
    ensure!(last < count, "has fewer numbers than its shape: the file is cut off or damaged");
    let all = Tensor::f_from_data_size(&numbers[..count as usize * width], &[count], kind)?;
    Ok(all.f_as_strided(&size[..], &stride[..], *offset)?.f_to_kind(Kind::Float)?.f_contiguous()?)
}

/// Where the numbers of tensors are.
struct Storage {
    /// `None` for kinds that are no weights.
    kind: Option<Kind>,
    /// Name of the entry.
    key: Rc<str>,
}

/// A tensor without its numbers.
struct Described {
    storage: Rc<Storage>,
    offset: i64,
    size: Rc<[i64]>,
    stride: Rc<[i64]>,
}

type Dict = Vec<(Rc<str>, Rc<Described>)>;

/// What a pickle can hold here. Nothing holds another of its own kind: so none is deep, whatever a file says.
#[derive(Clone)]
enum Value {
    Mark,
    Int(i64),
    Text(Rc<str>),
    /// Module and name of something of Python's.
    Global(Rc<str>),
    Ints(Rc<[i64]>),
    /// Of anything else than tuples.
    Tuple(Rc<[Value]>),
    Storage(Rc<Storage>),
    Tensor(Rc<Described>),
    Dict(Rc<Dict>),
    /// What is of no interest.
    Other,
}

/// Runs a pickle.
struct Machine<'a> {
    rest: &'a [u8],
    stack: Vec<Value>,
    memo: Vec<Value>,
}

impl<'a> Machine<'a> {
    fn new(pickle: &'a [u8]) -> Self {
        Self { rest: pickle, stack: Vec::new(), memo: Vec::new() }
    }

    fn run(mut self) -> anyhow::Result<Rc<Dict>> {
        loop {
            let [code] = self.bytes::<1>()?;
            match code {
                b'.' => break,
                0x80 => drop(self.bytes::<1>()?),
                0x95 => drop(self.bytes::<8>()?),
                b'(' => self.stack.push(Value::Mark),
                b'N' | 0x88 | 0x89 | b']' => self.stack.push(Value::Other),
                b'G' => {
                    self.bytes::<8>()?;
                    self.stack.push(Value::Other);
                }
                b'}' => self.stack.push(Value::Dict(Rc::default())),
                b')' => self.stack.push(Value::Ints(Rc::default())),
                b'K' => self.int::<1>()?,
                b'M' => self.int::<2>()?,
                b'J' => {
                    let number = i32::from_le_bytes(self.bytes()?);
                    self.stack.push(Value::Int(number.into()));
                }
                0x8a => self.long()?,
                b'X' => {
                    let length = u32::from_le_bytes(self.bytes()?);
                    self.text(length as usize)?;
                }
                0x8c => {
                    let [length] = self.bytes()?;
                    self.text(length.into())?;
                }
                b'c' => self.global()?,
                b'q' => {
                    let [at] = self.bytes()?;
                    self.remember(at.into())?;
                }
                b'r' => {
                    let at = u32::from_le_bytes(self.bytes()?);
                    self.remember(at as usize)?;
                }
                0x94 => self.remember(self.memo.len())?,
                b'h' => {
                    let [at] = self.bytes()?;
                    self.recall(at.into())?;
                }
                b'j' => {
                    let at = u32::from_le_bytes(self.bytes()?);
                    self.recall(at as usize)?;
                }
                b't' => {
                    let items = self.since_mark()?;
                    self.tuple(items)?;
                }
                0x85..=0x87 => {
                    let from = self.stack.len().checked_sub(usize::from(code - 0x84)).context(SHORT)?;
                    let items = self.stack.split_off(from);
                    self.tuple(items)?;
                }
                // Lists are of no interest.
                b'a' | b'b' => drop(self.pop()?),
                b'e' => drop(self.since_mark()?),
                b's' => {
                    let from = self.stack.len().checked_sub(2).context(SHORT)?;
                    let items = self.stack.split_off(from);
                    self.set(items)?;
                }
                b'u' => {
                    let items = self.since_mark()?;
                    self.set(items)?;
                }
                b'Q' => self.storage()?,
                b'R' => self.call()?,
                other => {
                    bail!("its pickle uses the instruction {other:#04x}, which a state_dict does not need")
                }
            }
        }
        match self.pop()? {
            Value::Dict(dict) => Ok(dict),
            _ => bail!("it holds no dictionary of tensors: save a network's state_dict()"),
        }
    }

    fn bytes<const N: usize>(&mut self) -> anyhow::Result<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk::<N>().context(SHORT)?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn pop(&mut self) -> anyhow::Result<Value> {
        self.stack.pop().context(SHORT)
    }

    fn since_mark(&mut self) -> anyhow::Result<Vec<Value>> {
        let mark = self.stack.iter().rposition(|value| matches!(value, Value::Mark)).context(SHORT)?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn int<const N: usize>(&mut self) -> anyhow::Result<()> {
        let number = self.bytes::<N>()?.iter().rev().fold(0, |all, byte| all << 8 | i64::from(*byte));
        self.stack.push(Value::Int(number));
        Ok(())
    }

    /// A whole number of any length; those too long for us are no numbers of tensors.
    fn long(&mut self) -> anyhow::Result<()> {
        let [length] = self.bytes()?;
        let (bytes, rest) = self.rest.split_at_checked(length.into()).context(SHORT)?;
        self.rest = rest;
        let negative = bytes.last().is_some_and(|byte| *byte >= 0x80);
        let mut all = if negative { [0xff; 8] } else { [0; 8] };
        self.stack.push(match all.get_mut(..bytes.len()) {
            Some(part) => {
                part.copy_from_slice(bytes);
                Value::Int(i64::from_le_bytes(all))
            }
            None => Value::Other,
        });
        Ok(())
    }

    fn text(&mut self, length: usize) -> anyhow::Result<()> {
        let (text, rest) = self.rest.split_at_checked(length).context(SHORT)?;
        self.rest = rest;
        self.stack.push(Value::Text(std::str::from_utf8(text).context("a name in it is no UTF-8")?.into()));
        Ok(())
    }

    fn global(&mut self) -> anyhow::Result<()> {
        let mut line = || -> anyhow::Result<&'a str> {
            let end = self.rest.iter().position(|byte| *byte == b'\n').context(SHORT)?;
            let line = std::str::from_utf8(&self.rest[..end]).context("a name in it is no UTF-8")?;
            self.rest = &self.rest[end + 1..];
            Ok(line)
        };
        let (module, name) = (line()?, line()?);
        self.stack.push(Value::Global(format!("{module}.{name}").into()));
        Ok(())
    }

    /// Entries come in order, so that no file makes us reserve more than it fills.
    fn remember(&mut self, at: usize) -> anyhow::Result<()> {
        let top = self.stack.last().context(SHORT)?.clone();
        ensure!(at <= self.memo.len(), SHORT);
        match self.memo.get_mut(at) {
            Some(place) => *place = top,
            None => self.memo.push(top),
        }
        Ok(())
    }

    fn recall(&mut self, at: usize) -> anyhow::Result<()> {
        self.stack.push(self.memo.get(at).context(SHORT)?.clone());
        Ok(())
    }

    fn tuple(&mut self, items: Vec<Value>) -> anyhow::Result<()> {
        let int = |item: &Value| if let Value::Int(number) = item { Some(*number) } else { None };
        self.stack.push(match items.iter().map(int).collect::<Option<Vec<i64>>>() {
            Some(ints) => Value::Ints(ints.into()),
            None if items.iter().any(|item| matches!(item, Value::Tuple(_))) => {
                bail!("its pickle holds tuples of tuples, which a state_dict does not need")
            }
            None => Value::Tuple(items.into()),
        });
        Ok(())
    }

    /// Adds pairs to the dictionary on top; a dictionary within one adds its own.
    fn set(&mut self, items: Vec<Value>) -> anyhow::Result<()> {
        let Some(Value::Dict(dict)) = self.stack.last_mut() else { return Ok(()) };
        let dict = Rc::make_mut(dict);
        for pair in items.chunks(2) {
            match pair {
                [Value::Text(name), Value::Tensor(tensor)] => dict.push((Rc::clone(name), Rc::clone(tensor))),
                [Value::Text(_), Value::Dict(inner)] => dict.extend(inner.iter().cloned()),
                _ => {}
            }
            ensure!(dict.len() <= MOST_TENSORS, "it says that it holds more than {MOST_TENSORS} tensors");
        }
        Ok(())
    }

    /// `("storage", kind, key, device, count)` to where the numbers are.
    fn storage(&mut self) -> anyhow::Result<()> {
        let Value::Tuple(items) = self.pop()? else { bail!(SHORT) };
        let [Value::Text(_), Value::Global(kind), Value::Text(key), ..] = &items[..] else { bail!(SHORT) };
        let kind = match &**kind {
            "torch.FloatStorage" => Some(Kind::Float),
            "torch.DoubleStorage" => Some(Kind::Double),
            "torch.HalfStorage" => Some(Kind::Half),
            "torch.BFloat16Storage" => Some(Kind::BFloat16),
            _ => None,
        };
        self.stack.push(Value::Storage(Rc::new(Storage { kind, key: Rc::clone(key) })));
        Ok(())
    }

    /// What Python would call, done by what it is known to give.
    fn call(&mut self) -> anyhow::Result<()> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let Value::Global(callee) = callee else { bail!(SHORT) };
        let arguments = if let Value::Tuple(items) = arguments { items } else { Rc::default() };
        self.stack.push(match (&*callee, &arguments[..]) {
            ("collections.OrderedDict", _) => Value::Dict(Rc::default()),
            (
                "torch._utils._rebuild_tensor_v2",
                [Value::Storage(storage), Value::Int(offset), Value::Ints(size), Value::Ints(stride), ..],
            ) => Value::Tensor(Rc::new(Described {
                storage: Rc::clone(storage),
                offset: *offset,
                size: Rc::clone(size),
                stride: Rc::clone(stride),
            })),
            ("torch._utils._rebuild_parameter", [tensor @ Value::Tensor(_), ..]) => tensor.clone(),
            _ => bail!("it holds a {callee}, which is not read: save a network's state_dict()"),
        });
        Ok(())
    }
}

/// A pickle that is not what Python writes.
const SHORT: &str = "its pickle is cut off or damaged";

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(pickle: &[u8]) -> String {
        match Machine::new(pickle).run() {
            Ok(dict) => panic!("{} tensors", dict.len()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn nothing_is_called() {
        let evil = b"cos\nsystem\n(X\x04\x00\x00\x00truetR.";
        assert_eq!(problem(evil), "it holds a os.system, which is not read: save a network's state_dict()");
        assert!(problem(b"cos\nsystem\n.").contains("no dictionary"));
    }

    #[test]
    fn whatever_the_bytes_an_error_and_no_more() {
        let whole = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00aq\x02ctorch._utils\n_rebuild_tensor_v2\n\
                      q\x03((X\x07\x00\x00\x00storageq\x04ctorch\nFloatStorage\nq\x05X\x01\x00\x00\x000q\x06X\x03\x00\x00\x00cpuq\x07\
                      K\x04tq\x08QK\x00K\x02K\x02\x86q\x09K\x02K\x01\x86q\x0a\x89h\x00)Rq\x0btq\x0cRq\x0du.";
        let dict = Machine::new(whole).run().unwrap();
        assert_eq!((dict.len(), &*dict[0].0, &dict[0].1.size[..]), (1, "a", &[2i64, 2][..]));
        for cut in 0..whole.len() {
            assert!(Machine::new(&whole[..cut]).run().is_err());
        }
        for place in 0..whole.len() {
            for byte in [0, b'(', b't', b'R', b'u', 0x86, 0xff] {
                let mut changed = whole.to_vec();
                changed[place] = byte;
                // Either is fine; neither may end the process.
                let _ = Machine::new(&changed).run();
            }
        }
        let tensor_of = |bytes: &[u8]| tensor(&dict[0].1, Kind::Float, bytes);
        assert_eq!(tensor_of(&[0; 16]).unwrap().size(), [2, 2]);
        assert!(tensor_of(&[0; 15]).unwrap_err().to_string().contains("fewer numbers"));
    }
}
