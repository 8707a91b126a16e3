import CKernels
import LocalModels
import Testing

struct KernelTests {
  static let paths = KernelPath.allCases.filter(\.isAvailable)

  /// Deterministic numbers between -1 and 1.
  private func numbers(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
    }
  }

  @Test(arguments: paths, [1, 7, 32, 63, 64, 65, 384, 1000])
  func dotProductsEqualDoublePrecision(path: KernelPath, dimension: Int) {
    let rows = 5
    let query = numbers(dimension, seed: 1)
    let matrix = numbers(rows * dimension, seed: 2)
    var half = [UInt16](repeating: 0, count: matrix.count)
    qk_f16_from_f32(matrix, &half, matrix.count, path.native)
    var scores = [Float](repeating: 0, count: rows)
    var halfScores = scores
    qk_dot_f32(query, matrix, rows, dimension, &scores, path.native)
    qk_dot_f16(query, half, rows, dimension, &halfScores, path.native)
    for row in 0..<rows {
      var exact = 0.0
      var exactHalf = 0.0
      for column in 0..<dimension {
        exact += Double(query[column]) * Double(matrix[row * dimension + column])
        exactHalf += Double(query[column]) * Self.value(ofHalf: half[row * dimension + column])
      }
      #expect(abs(Double(scores[row]) - exact) < 1e-5 * Double(dimension).squareRoot())
      #expect(abs(Double(halfScores[row]) - exactHalf) < 1e-5 * Double(dimension).squareRoot())
    }
  }

  @Test(arguments: paths) func everyHalfBecomesItsValueAndComesBack(path: KernelPath) {
    let halves = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: halves.count)
    var back = [UInt16](repeating: 0, count: halves.count)
    qk_f32_from_f16(halves, &floats, halves.count, path.native)
    qk_f16_from_f32(floats, &back, halves.count, path.native)
    for half in halves {
      let isNaN = half & 0x7c00 == 0x7c00 && half & 0x3ff != 0
      if isNaN {
        #expect(floats[Int(half)].isNaN)
      } else if Double(floats[Int(half)]) != Self.value(ofHalf: half) || back[Int(half)] != half {
        Issue.record("half \(half) became \(floats[Int(half)]) and came back as \(back[Int(half)])")
      }
    }
  }

  @Test(arguments: paths) func roundsToTheNearestHalf_tiesToEven(path: KernelPath) {
    // Exact ties lie half-way between neighbours; the even one has an even last bit.
    let cases: [(Float, UInt16)] = [
      (1 + 0x1p-11, 0x3c00), (1 + 3 * 0x1p-11, 0x3c02), (1 + 0x1p-11 + 0x1p-20, 0x3c01), (65504, 0x7bff),
      (65519.996, 0x7bff), (65520, 0x7c00), (1e9, 0x7c00), (-.infinity, 0xfc00), (0x1p-24, 1), (0x1p-25, 0),
      (0x1.8p-25, 1), (3 * 0x1p-25, 2), (0x1p-14, 0x0400), (0x1p-14 - 0x1p-26, 0x0400), (-0.0, 0x8000),
      (1e-30, 0), (0.1, 0x2e66), (-0.1, 0xae66),
    ]
    // Repeated, so that the vector path and its scalar rest both see each case.
    let floats = cases.map(\.0) + cases.map(\.0).reversed()
    let expected = cases.map(\.1) + cases.map(\.1).reversed()
    var halves = [UInt16](repeating: 0, count: floats.count)
    qk_f16_from_f32(floats, &halves, floats.count, path.native)
    #expect(halves == expected)
    for (float, half) in cases {
      var one = [UInt16](repeating: 0, count: 1)
      qk_f16_from_f32([float], &one, 1, path.native)
      #expect(one[0] == half, "\(float)")
    }
  }

  @Test func fallsBackToPlain_whenTheCPULacksThePath() {
    for path in KernelPath.allCases where !path.isAvailable {
      #expect(qk_path_resolved(path.native) == QK_PATH_PLAIN)
    }
    #expect(qk_path_resolved(QK_PATH_AUTO) != QK_PATH_AUTO)
  }

  @Test func refusesShapesItCannotRun() {
    let good = qk_encoder_shape(
      layers: 1, hidden: 64, heads: 2, intermediate: 128, vocabulary: 10, positions: 16, layer_norm_epsilon: 1e-12)
    var shapes = [good, good, good, good, good]
    shapes[0].hidden = 65
    shapes[1].heads = 4
    shapes[2].intermediate = -32
    shapes[3].layers = 0
    shapes[4].hidden = 1 << 20
    var weights = qk_encoder_weights()
    for var shape in shapes {
      var status = QK_OK
      #expect(qk_encoder_create(&shape, &weights, QK_SCHEME_FP32, QK_PATH_AUTO, 1, &status) == nil)
      #expect(status == QK_BAD_SHAPE)
    }
  }

  /// IEEE 754 binary16 by its definition.
  private static func value(ofHalf half: UInt16) -> Double {
    let fraction = Double(half & 0x3ff)
    let exponent = Int(half >> 10 & 31)
    let sign: Double = half & 0x8000 == 0 ? 1 : -1
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    func power(_ n: Int) -> Double { Double(sign: .plus, exponent: n, significand: 1) }
    return sign * (exponent == 0 ? fraction * power(-24) : (1024 + fraction) * power(exponent - 25))
  }
}
