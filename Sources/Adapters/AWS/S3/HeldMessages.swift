import Core

/// The messages that a worker holds, from their receipt until they are deleted or given back.
struct HeldMessages {
  enum Phase {
    /// To be looked at.
    case ready
    /// Their objects are in work.
    case taken
    /// To be looked at again then.
    case later(ContinuousClock.Instant)
  }

  struct Entry {
    var message: MessageQueue.Message
    var uris: Set<SourceURI>
    var phase: Phase
  }

  private var entries: [String: Entry] = [:]

  var count: Int { entries.count }
  var messages: [MessageQueue.Message] { entries.values.map(\.message) }

  /// A message that comes again while it is held has a newer receipt, and only that one counts.
  mutating func add(_ message: MessageQueue.Message, _ uris: Set<SourceURI>) {
    if entries[message.id] != nil {
      entries[message.id]?.message = message
    } else {
      entries[message.id] = Entry(message: message, uris: uris, phase: .ready)
    }
  }

  mutating func remove(_ ids: some Sequence<String>) {
    for id in ids { entries[id] = nil }
  }

  /// Removes those of `ids` that are not in work: somebody else has them now.
  mutating func removeIdle(_ ids: Set<String>) {
    for id in ids {
      if case .taken? = entries[id]?.phase { continue }
      entries[id] = nil
    }
  }

  /// Takes all that are ready into work.
  mutating func takeReady() -> [Entry] {
    var taken: [Entry] = []
    for (id, entry) in entries {
      guard case .ready = entry.phase else { continue }
      entries[id]?.phase = .taken
      taken.append(entry)
    }
    return taken
  }

  mutating func set(_ phase: Phase, _ ids: some Sequence<String>) {
    for id in ids { entries[id]?.phase = phase }
  }

  var taken: [Entry] {
    entries.values.filter { if case .taken = $0.phase { true } else { false } }
  }

  /// Makes those ready whose time has come. Returns whether there was one.
  mutating func wake(at now: ContinuousClock.Instant) -> Bool {
    var woke = false
    for (id, entry) in entries {
      if case .later(let time) = entry.phase, time <= now {
        entries[id]?.phase = .ready
        woke = true
      }
    }
    return woke
  }
}
