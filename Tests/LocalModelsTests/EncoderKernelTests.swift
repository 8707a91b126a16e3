import CKernels
import LocalModels
import Testing

/// The encoder's kernels against the formulas in double precision, on small random models.
struct EncoderKernelTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let path: KernelPath
    let scheme: NumericScheme
    let tokens: Int
    var testDescription: String { "\(path) \(scheme) \(tokens)" }
  }

  /// Lengths around the heights and widths of tiles on every path, odd and even.
  static let cases = KernelTests.paths.flatMap { path in
    NumericScheme.allCases.flatMap { scheme in
      [1, 2, 7, 12, 13, 32, 33, 65].map { Case(path: path, scheme: scheme, tokens: $0) }
    }
  }

  private static let model = NaiveEncoder(
    layers: 2, hidden: 64, heads: 2, intermediate: 160, vocabulary: 50, positions: 70)

  private static func ids(_ tokens: Int) -> [Int32] { (0..<tokens).map { Int32(($0 * 17 + 5) % 50) } }

  /// By number of tokens; computed once, for double precision takes its time.
  private static let formulas = Dictionary(
    uniqueKeysWithValues: Set(cases.map(\.tokens)).map { ($0, model.embed(ids($0).map(Int.init))) })

  @Test(arguments: cases) func agreesWithTheFormulas(item: Case) throws {
    let vector = try #require(Self.model.native(Self.ids(item.tokens), item.scheme, item.path))
    let exact = try #require(Self.formulas[item.tokens])
    var dot = 0.0
    var largest = 0.0
    for (a, b) in zip(vector, exact) {
      dot += Double(a) * b
      largest = max(largest, abs(Double(a) - b))
    }
    switch item.scheme {
    case .fp32: #expect(largest < 2e-6)
    case .bf16: #expect(dot > 0.9999)
    case .int8: #expect(dot > 0.999)
    }
  }

  @Test(arguments: KernelTests.paths) func refusesASchemeThatIsNone(path: KernelPath) {
    var shape = qk_encoder_shape(
      layers: 1, hidden: 64, heads: 2, intermediate: 128, vocabulary: 10, positions: 16, layer_norm_epsilon: 1e-12)
    var weights = qk_encoder_weights()
    var status = QK_OK
    #expect(qk_encoder_create(&shape, &weights, qk_scheme(rawValue: 3), path.native, 1, &status) == nil)
    #expect(status == QK_BAD_SCHEME)
  }

  @Test(arguments: KernelTests.paths) func staysFinite_whenWeightsAreZeroOrEqual(path: KernelPath) throws {
    // Nothing to scale by: rows of one value, and outputs whose weights are all zero.
    for value: Float in [0, 0.25] {
      let model = NaiveEncoder(
        layers: 1, hidden: 64, heads: 2, intermediate: 64, vocabulary: 4, positions: 8, constant: value)
      for scheme in NumericScheme.allCases {
        let vector = try #require(model.native([1, 2, 3], scheme, path))
        let isFinite = vector.allSatisfy { $0.isFinite }
        #expect(isFinite, "\(scheme)")
      }
    }
  }
}
