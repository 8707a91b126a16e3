import Concurrency
import Core
import Testing

@testable import AWS

@Suite struct RequestPaceTests {
  /// A clock that jumps to the end of every sleep.
  private final class JumpingClock: Clock, Sendable {
    struct Instant: InstantProtocol {
      var seconds: Double
      func advanced(by duration: Duration) -> Instant { Instant(seconds: seconds + duration / .seconds(1)) }
      func duration(to other: Instant) -> Duration { .milliseconds(Int((other.seconds - seconds) * 1_000)) }
      static func < (left: Instant, right: Instant) -> Bool { left.seconds < right.seconds }
    }
    let time = Locked(0.0)
    var now: Instant { Instant(seconds: time.withLock { $0 }) }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
      time.withLock { $0 = max($0, deadline.seconds) }
    }
  }

  private func pace(_ requests: Double?, _ tokens: Double?) -> (RequestPace, JumpingClock) {
    let clock = JumpingClock()
    return (
      RequestPace(requestsPerMinute: requests, tokensPerMinute: tokens, clock: clock) { clock.time.withLock { $0 } },
      clock
    )
  }

  @Test func spreadsCallsOverTheMinute() async throws {
    let (pace, clock) = pace(60, nil)
    for _ in 0..<31 { try await pace.attempt(tokens: 1) {} }
    #expect(abs(clock.now.seconds - 30) < 0.1)
  }

  @Test func countsTokensToo() async throws {
    let (pace, clock) = pace(6_000, 1_000)
    for _ in 0..<11 { try await pace.attempt(tokens: 100) {} }
    #expect(abs(clock.now.seconds - 60) < 0.1)
  }

  @Test func waitsForNothing_withoutALimit() async throws {
    let (pace, clock) = pace(nil, nil)
    for _ in 0..<1_000 { try await pace.attempt(tokens: 1_000_000) {} }
    #expect(clock.now.seconds == 0)
  }

  @Test func slowsDownWhenThrottled_andRecovers() async throws {
    let (pace, clock) = pace(60, nil)
    let throttled = CoreError(code: "x", category: .rateLimited, message: "slow")
    for _ in 0..<2 { try? await pace.attempt(tokens: 1) { throw throttled } }
    #expect(await pace.share == 0.25)
    let before = clock.now.seconds
    for _ in 0..<4 { try await pace.attempt(tokens: 1) {} }
    #expect(clock.now.seconds - before > 10)
    clock.time.withLock { $0 += 600 }
    try await pace.attempt(tokens: 1) {}
    #expect(await pace.share == 1)
  }

  @Test func doesNotSlowDown_forOtherFailures() async throws {
    let (pace, _) = pace(60, nil)
    try? await pace.attempt(tokens: 1) { throw CoreError(code: "x", category: .unavailable, message: "down") }
    #expect(await pace.share == 1)
  }

  private let slow = CoreError(code: "x", category: .rateLimited, message: "slow")

  @Test func halvesTheCallsInFlight_onceAMoment_andWinsThemBackByCallsThatSucceed() async throws {
    let clock = JumpingClock()
    let pace = RequestPace(requestsPerMinute: nil, tokensPerMinute: nil, concurrency: 8, clock: clock) { 0 }
    // Eight calls that began together and are all refused say one thing.
    let door = AsyncSemaphore(width: 8)
    for _ in 0..<8 { try await door.acquire() }
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          try? await pace.hold {
            try await pace.attempt(tokens: 1) {
              try await door.acquire()
              throw slow
            }
          }
        }
      }
      while door.waiting < 8 { await Task.yield() }
      for _ in 0..<8 { door.release() }
    }
    #expect(await pace.inFlightLimit == 4)
    #expect(await pace.share == 0.5)

    let most = Locked((now: 0, most: 0))
    @Sendable func call() async throws {
      try await pace.hold {
        most.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        for _ in 0..<20 { await Task.yield() }
        most.withLock { $0.now -= 1 }
      }
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try await call() } }
      try await group.waitForAll()
    }
    #expect(most.withLock { $0.most } <= 4)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<200 { group.addTask { try await call() } }
      try await group.waitForAll()
    }
    #expect(await pace.inFlightLimit == 8)
    #expect(most.withLock { $0.most } == 8)
  }

  @Test func neverStopsAltogether() async throws {
    let clock = JumpingClock()
    let pace = RequestPace(requestsPerMinute: nil, tokensPerMinute: nil, concurrency: 3, clock: clock) { 0 }
    for _ in 0..<20 { try? await pace.hold { try await pace.attempt(tokens: 1) { throw slow } } }
    #expect(await pace.inFlightLimit == 1)
    #expect(try await pace.hold { 7 } == 7)
  }
}
