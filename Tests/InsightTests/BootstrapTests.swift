import Insight
import Testing

@Suite struct BootstrapTests {
  private let values = [1, 0, 0, 1, 1, 0.5, 0.25, 0, 1, 1.0 / 3]

  /// Oracle: SplitMix64 (seed 20260102), index = (next · n) >> 64, 1,000 means of 10 draws,
  /// numpy.percentile(means, [2.5, 97.5]), in Python.
  @Test func agreesWithTheSameDraws_madeInPython() throws {
    let measure = Bootstrap().mean(of: values)
    #expect(abs(try #require(measure.value) - 0.5083333333333333) < 1e-12)
    #expect(abs(try #require(measure.low) - 0.225) < 1e-9)
    #expect(abs(try #require(measure.high) - 0.775) < 1e-9)
  }

  /// Oracle: numpy's default_rng(1), 100,000 draws with `choice`: 0.25 and 0.775.
  @Test func isNear_anIndependentBootstrap() throws {
    let measure = Bootstrap(resamples: 20_000, seed: 5).mean(of: values)
    #expect(abs(try #require(measure.low) - 0.25) < 0.03)
    #expect(abs(try #require(measure.high) - 0.775) < 0.03)
  }

  @Test func isTheSame_forTheSameSeed() {
    #expect(Bootstrap(seed: 1).mean(of: values) == Bootstrap(seed: 1).mean(of: values))
    #expect(
      Bootstrap(resamples: 50, seed: 1).mean(of: values) != Bootstrap(resamples: 50, seed: 2).mean(of: values))
  }

  @Test func isUnknown_withoutValues_andPointLike_whenAllAgree() {
    #expect(Bootstrap().mean(of: []) == Measure(value: nil, low: nil, high: nil))
    #expect(Bootstrap().mean(of: [1, 1, 1]) == Measure(value: 1, low: 1, high: 1))
  }
}
