import Core
import FoundationEssentials

/// Remembers files that changed a moment ago, from one listing to the next: one that is then as it was is complete.
struct FirstSights {
  private struct Sight {
    var stamp: String
    var time: ContinuousClock.Instant
  }

  private var sights: [SourceURI: Sight] = [:]

  /// Those of `objects` that may still be in writing.
  mutating func unsettled(
    _ objects: [SourceObject], settle: Duration, wallTime: Date, now: ContinuousClock.Instant
  ) -> Set<SourceURI> {
    var recent: [SourceURI: Sight] = [:]
    var unsettled: Set<SourceURI> = []
    for object in objects where Self.isRecent(object, settle: settle, wallTime: wallTime) {
      let known = sights[object.uri].flatMap { $0.stamp == object.stamp ? $0 : nil }
      let sight = known ?? Sight(stamp: object.stamp, time: now)
      recent[object.uri] = sight
      if now - sight.time < settle { unsettled.insert(object.uri) }
    }
    sights = recent
    return unsettled
  }

  /// Whether a file changed a moment ago, or, by a clock that is not this machine's, later than now.
  static func isRecent(_ object: SourceObject, settle: Duration, wallTime: Date) -> Bool {
    object.modified > wallTime.addingTimeInterval(-(settle / .seconds(1)))
  }
}
