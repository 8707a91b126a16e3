/// The value of a measure over questions, with its 95 % confidence interval by the bootstrap; all nil when no
/// question counts.
public struct Measure: Sendable, Hashable, Codable {
  /// The mean over questions.
  public var value: Double?
  /// The lower end of the interval.
  public var low: Double?
  /// The upper end of the interval.
  public var high: Double?

  /// Creates a measure.
  public init(value: Double?, low: Double?, high: Double?) {
    self.value = value
    self.low = low
    self.high = high
  }

  private enum CodingKeys: String, CodingKey {
    case value, low, high
  }

  /// Writes all three, as null where there is none: readers need not tell missing from unknown.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(value, forKey: .value)
    try container.encode(low, forKey: .low)
    try container.encode(high, forKey: .high)
  }
}

/// The percentile bootstrap: questions are drawn again, with replacement, as many as there are; the 2.5th and
/// 97.5th percentile of the statistic over many draws bound the interval.
/// Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 13.
public struct Bootstrap: Sendable, Hashable {
  /// Draws.
  public var resamples: Int
  /// Equal seeds give equal intervals, on every machine.
  public var seed: UInt64

  /// Creates a bootstrap of `resamples` draws, at least 1.
  public init(resamples: Int = 1_000, seed: UInt64 = 20_260_102) {
    self.resamples = max(1, resamples)
    self.seed = seed
  }

  /// The mean of `values` with its interval; all nil when there are none.
  public func mean(of values: [Double]) -> Measure {
    guard !values.isEmpty else { return Measure(value: nil, low: nil, high: nil) }
    let count = Double(values.count)
    let interval = interval(count: values.count) { picks in
      var sum = 0.0
      for pick in picks { sum += values[pick] }
      return sum / count
    }
    return Measure(value: values.reduce(0, +) / count, low: interval?.low, high: interval?.high)
  }

  /// The interval of a statistic of `count` items, given the indices drawn; draws for which it is nil are left
  /// out, and the interval is nil when that leaves none.
  public func interval(count: Int, _ statistic: ([Int]) -> Double?) -> (low: Double, high: Double)? {
    guard count > 0 else { return nil }
    var generator = SplitMix64(seed: seed)
    var picks = [Int](repeating: 0, count: count)
    var found: [Double] = []
    found.reserveCapacity(resamples)
    for _ in 0..<resamples {
      for place in picks.indices { picks[place] = generator.next(below: count) }
      if let value = statistic(picks) { found.append(value) }
    }
    guard !found.isEmpty else { return nil }
    found.sort()
    return (Self.percentile(found, 0.025), Self.percentile(found, 0.975))
  }

  /// The percentile of sorted values by linear interpolation: type 7 of Hyndman & Fan (1996).
  static func percentile(_ sorted: [Double], _ part: Double) -> Double {
    let place = Double(sorted.count - 1) * part
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }
}

/// A small generator whose numbers are the same everywhere, unlike the system's.
/// Source: Steele, Lea & Flood, Fast Splittable Pseudorandom Number Generators (2014).
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to `count` − 1: the high half of the product, whose bias is below 2⁻⁴⁰ for sets of questions.
  mutating func next(below count: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(count)).high) }
}
