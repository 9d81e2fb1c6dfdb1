use super::lanes::COLUMNS;
use super::product::{Level, products_at};
use super::*;
use crate::buffer::Buffer;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use half::{bf16, f16};

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// The bytes of weights in a file, and the weights that another reader makes of them.
fn written(kind: Kind, rows: usize, columns: usize) -> (Vec<u8>, Vec<f32>) {
    let weights = random(rows as u64 * 7 + columns as u64, rows * columns);
    let kind = match kind {
        Kind::F32 => return (bytes(&weights, |w| w.to_le_bytes()), weights),
        Kind::F16 => {
            let read = weights.iter().map(|w| f16::from_f32(*w).to_f32()).collect();
            return (bytes(&weights, |w| f16::from_f32(w).to_le_bytes()), read);
        }
        Kind::BF16 => {
            let read = weights.iter().map(|w| bf16::from_f32(*w).to_f32()).collect();
            return (bytes(&weights, |w| bf16::from_f32(w).to_le_bytes()), read);
        }
        Kind::Q4_0 => GgmlDType::Q4_0,
        Kind::Q4_1 => GgmlDType::Q4_1,
        Kind::Q5_0 => GgmlDType::Q5_0,
        Kind::Q5_1 => GgmlDType::Q5_1,
        Kind::Q8_0 => GgmlDType::Q8_0,
        Kind::Q4_K => GgmlDType::Q4K,
        Kind::Q5_K => GgmlDType::Q5K,
        Kind::Q6_K => GgmlDType::Q6K,
    };
    let tensor = Tensor::from_vec(weights, (rows, columns), &Device::Cpu).unwrap();
    let tensor = QTensor::quantize(&tensor, kind).unwrap();
    let read = tensor.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap();
    (tensor.data().unwrap().into_owned(), read.to_vec1().unwrap())
}

fn bytes<const N: usize>(weights: &[f32], write: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    weights.iter().flat_map(|weight| write(*weight)).collect()
}

fn matrix(kind: Kind, rows: usize, columns: usize) -> (Matrix, Vec<f32>) {
    let (bytes, weights) = written(kind, rows, columns);
    (Matrix::pack(kind, &bytes, rows, columns).unwrap(), weights)
}

fn activations(values: Vec<f32>, width: usize) -> Rows {
    let mut buffer = Buffer::dirty(values.len());
    buffer.copy_from_slice(&values);
    Rows::new(buffer, width)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn rows_are_what_another_reader_makes_of_the_file() {
    for kind in Kind::ALL {
        let (matrix, weights) = matrix(kind, 21, 512);
        let mut row = vec![0.0; 512];
        for (i, expected) in weights.chunks_exact(512).enumerate() {
            matrix.row(i, &mut row);
            for (got, expected) in row.iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-6, "{kind:?}: {got} for {expected}");
            }
        }
    }
}

#[test]
fn products_are_those_of_the_rounded_activations() {
    for kind in Kind::ALL {
        let (matrix, weights) = matrix(kind, 40, 512);
        let x = random(3, 5 * 512);
        let got = products(&[&matrix], &activations(x.clone(), 512)).remove(0);
        for (i, x) in x.chunks_exact(512).enumerate() {
            for (j, weights) in weights.chunks_exact(512).enumerate() {
                let exact: f64 =
                    x.iter().zip(weights).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                let got = f64::from(got[i * 40 + j]);
                // Eight bits: an error of 1/254 of the largest activation, at random signs.
                let tolerance = if kind.block().0 == 1 { 1e-4 } else { 0.2 };
                assert!((got - exact).abs() < tolerance, "{kind:?}: {got} for {exact}");
            }
        }
    }
}

#[test]
fn every_processor_and_every_batch_gives_the_same_bits() {
    for kind in Kind::ALL {
        for (rows, columns) in [(48, 512), (21, 256), (16, 768)] {
            let (matrix, _) = matrix(kind, rows, columns);
            let x = random(9, 23 * columns);
            let together = products(&[&matrix], &activations(x.clone(), columns)).remove(0);
            for level in Level::all() {
                for (i, x) in x.chunks_exact(columns).enumerate() {
                    let alone = activations(x.to_vec(), columns);
                    let alone = products_at(level, &[&matrix, &matrix], &alone).remove(1);
                    let (from, to) = (i * rows, (i + 1) * rows);
                    assert_eq!(bits(&alone), bits(&together[from..to]), "{kind:?} {level:?}");
                }
            }
        }
    }
}

#[test]
fn columns_need_not_fill_a_block() {
    for kind in [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1, Kind::Q5_0, Kind::Q5_1, Kind::F16] {
        let (matrix, weights) = matrix(kind, COLUMNS, 288);
        let x = random(1, 288);
        let got = products(&[&matrix], &activations(x.clone(), 288)).remove(0);
        let exact: f32 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
        assert!((got[0] - exact).abs() < 0.15, "{kind:?}: {} for {exact}", got[0]);
    }
    let odd = Matrix::pack(Kind::F32, &[0; 7 * 5 * 4], 7, 5).unwrap();
    assert_eq!(products(&[&odd], &activations(vec![1.0; 10], 5)).remove(0).to_vec(), vec![0.0; 14]);
}

#[test]
fn bytes_of_another_length_are_no_matrix() {
    for kind in Kind::ALL {
        let length = kind.bytes(16, 256).unwrap();
        assert!(Matrix::pack(kind, &vec![0; length - 1], 16, 256).is_err());
        assert!(Matrix::pack(kind, &[], 0, 256).is_err());
    }
    assert!(matches!(
        Matrix::pack(Kind::Q4_K, &[0; 144], 1, 128),
        Err(PackError::Columns { columns: 128, block: 256 })
    ));
}
