//! The table of token rows in `model.safetensors`.

use std::borrow::Cow;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

/// One row per token, with Model2Vec's optional weights and mapping.
#[derive(Debug)]
pub(super) struct Table {
    values: Values,
    dimension: usize,
    /// The weight of each token id; empty if all are 1.
    weights: Vec<f32>,
    /// The row of each token id; empty if a token's row is its id.
    mapping: Vec<u32>,
}

#[derive(Debug)]
enum Values {
    /// One signed byte per component; borrowed where the model is part of the executable.
    Int8(Cow<'static, [u8]>),
    /// Components of other types, converted when the table is loaded.
    Float(Vec<f32>),
}

/// A loaded table, and the tensors that token ids index.
pub(super) struct Loaded {
    pub(super) table: Table,
    /// The tensors that token ids index, with their lengths.
    pub(super) indexed: Vec<(&'static str, usize)>,
}

impl Table {
    /// Reads `embeddings` and the optional `weights` and `mapping`.
    ///
    /// # Errors
    /// A description of what is wrong with the file.
    pub(super) fn read(file: Cow<'static, [u8]>) -> Result<Loaded, Box<str>> {
        match file {
            // Matching keeps the `'static` lifetime of the rows of a built-in model.
            Cow::Borrowed(bytes) => Self::from_tensors(bytes, Cow::Borrowed),
            Cow::Owned(bytes) => Self::from_tensors(&bytes, |data| Cow::Owned(data.to_vec())),
        }
    }

    fn from_tensors<'a>(bytes: &'a [u8], keep: impl Fn(&'a [u8]) -> Cow<'static, [u8]>) -> Result<Loaded, Box<str>> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let tensor = |name: &str| tensors.iter().find_map(|(found, view)| (found == name).then_some(view));
        let embeddings = tensor("embeddings").ok_or("no tensor `embeddings`")?;
        let &[rows, dimension] = embeddings.shape() else {
            return Err(
                format!("`embeddings` must have the shape [tokens, components], got {:?}", embeddings.shape()).into()
            );
        };
        if rows == 0 || dimension == 0 {
            return Err("`embeddings` is empty".into());
        }
        let values = match embeddings.dtype() {
            Dtype::I8 => Values::Int8(keep(embeddings.data())),
            _ => Values::Float(floats("embeddings", &embeddings)?),
        };
        let weights = tensor("weights").map_or(Ok(Vec::new()), |view| floats("weights", &view))?;
        let mapping = tensor("mapping").map_or(Ok(Vec::new()), |view| indices(&view))?;
        if let Some(row) = mapping.iter().find(|&&row| row as usize >= rows) {
            return Err(format!("`mapping` refers to row {row}, but `embeddings` has {rows} rows").into());
        }
        let mut indexed = Vec::new();
        if !weights.is_empty() {
            indexed.push(("weights", weights.len()));
        }
        indexed.push(if mapping.is_empty() { ("embeddings", rows) } else { ("mapping", mapping.len()) });
        Ok(Loaded { table: Self { values, dimension, weights, mapping }, indexed })
    }

    /// Returns the number of components of a row.
    pub(super) const fn dimension(&self) -> usize {
        self.dimension
    }

    /// Adds `factor` times the first components of a token's row to `out`.
    #[inline]
    pub(super) fn add_row(&self, id: u32, factor: f32, out: &mut [f32]) {
        let token = id as usize;
        let weight = if self.weights.is_empty() { 1.0 } else { self.weights.get(token).copied().unwrap_or_default() };
        let row =
            if self.mapping.is_empty() { token } else { self.mapping.get(token).map_or(token, |&row| row as usize) };
        let start = row * self.dimension;
        let range = start..start + out.len();
        let factor = factor * weight;
        match &self.values {
            Values::Int8(values) => {
                add_scaled(values.get(range).unwrap_or_default(), factor, out, |byte| f32::from(byte as i8))
            }
            Values::Float(values) => add_scaled(values.get(range).unwrap_or_default(), factor, out, |value| value),
        }
    }
}

/// Computes `out += factor × row`.
///
/// The compiler vectorises a plain loop over two slices best; with fixed-size chunks it unrolls
/// first and vectorises badly.
#[inline]
fn add_scaled<T: Copy>(row: &[T], factor: f32, out: &mut [f32], widen: impl Fn(T) -> f32) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += factor * widen(value);
    }
}

/// Converts a tensor to f32. Rejects values that are not finite: one would spoil every vector
/// that it is added to.
fn floats(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, Box<str>> {
    let data = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
        Dtype::F16 => data.as_chunks().0.iter().map(|bytes| widen_half(u16::from_le_bytes(*bytes))).collect(),
        Dtype::BF16 => {
            let widen = |bytes: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
            data.as_chunks().0.iter().map(widen).collect()
        }
        other => {
            return Err(format!("`{name}` has the unsupported type {other:?}; use f32, f64, f16, bf16 or i8").into());
        }
    };
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("`{name}` must contain only finite values, got one that is not at index {at}").into()),
        None => Ok(values),
    }
}

/// Converts a tensor to indices.
fn indices(view: &TensorView<'_>) -> Result<Vec<u32>, Box<str>> {
    let data = view.data();
    let index = |value: i64| {
        u32::try_from(value).map_err(|_| format!("`mapping` contains {value}, which is out of range").into())
    };
    match view.dtype() {
        Dtype::I32 => data.as_chunks().0.iter().map(|bytes| index(i32::from_le_bytes(*bytes).into())).collect(),
        Dtype::I64 => data.as_chunks().0.iter().map(|bytes| index(i64::from_le_bytes(*bytes))).collect(),
        other => Err(format!("`mapping` has the unsupported type {other:?}; use i32 or i64").into()),
    }
}

/// Converts an IEEE 754 binary16 value to f32.
fn widen_half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 31;
    let fraction = u32::from(bits) & 0x3ff;
    match exponent {
        // Subnormal: a multiple of 2^-24, which f32 holds exactly.
        0 => f32::from_bits((fraction as f32 * 2.0_f32.powi(-24)).to_bits() | sign),
        31 => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widens_halves() {
        for (bits, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ] {
            assert_eq!(widen_half(bits), value, "{bits:04x}");
        }
        assert!(widen_half(0x7e00).is_nan());
        assert!(widen_half(0x8000).is_sign_negative());
    }
}
