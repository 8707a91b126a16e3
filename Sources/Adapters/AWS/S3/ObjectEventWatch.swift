import Concurrency
import Core

/// Tells the changes of an S3 source from a queue of object events.
///
/// A message says only that something happened at a key; what is so now, a look at the object says. Therefore
/// messages that come twice, late or out of order are harmless. A message is deleted when what it names is dealt
/// with durably; until then it is held, and its visibility extended, so that no other worker gets it.
final class ObjectEventWatch: SourceWatch {
  private struct State {
    var held = HeldMessages()
    var shortfall: NoticeShortfall?
    var isShortfallTold = false
    var tasks: [Task<Void, Never>] = []
  }

  private let source: S3Source
  private let queue: MessageQueue
  private let settings: ObjectEventSettings
  private let notify: @Sendable () -> Void
  private let observe: @Sendable (ObjectEventNotice) -> Void
  private let state = Locked(State())

  init(
    _ source: S3Source, queue: MessageQueue, settings: ObjectEventSettings,
    observe: @escaping @Sendable (ObjectEventNotice) -> Void, notify: @escaping @Sendable () -> Void
  ) {
    self.source = source
    self.queue = queue
    self.settings = settings
    self.observe = observe
    self.notify = notify
  }

  func start() {
    let tasks = [Task { await poll() }, Task { await keep() }]
    state.withLock { $0.tasks = tasks }
  }

  /// Ends the polling, and gives back what is not done with.
  func stop() async {
    let tasks = state.withLock { $0.tasks }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    let rest = state.withLock { state in
      defer { state.held = HeldMessages() }
      return state.held.messages
    }
    guard !rest.isEmpty else { return }
    // In a task of its own: the one that stops a watch is cancelled. What fails comes back by itself, later.
    await Task { [queue] in _ = try? await queue.setVisibility(0, of: rest) }.value
  }

  // MARK: - Receiving

  private func poll() async {
    var failures = 0
    while !Task.isCancelled {
      do {
        guard state.withLock({ $0.held.count }) < settings.limit else {
          try await Task.sleep(for: .milliseconds(200))
          continue
        }
        let messages = try await queue.receive(
          wait: Int(settings.pollTime.components.seconds), visibility: Int(settings.visibility.components.seconds))
        if failures > 0 {
          observe(.recovered(count: failures))
          state.withLock { $0.isShortfallTold = false }
        }
        failures = 0
        if !messages.isEmpty { await accept(messages) }
      } catch {
        if Task.isCancelled || error is CancellationError { return }
        failures += 1
        let delay = min(.seconds(300), settings.firstRetry * (1 << min(failures - 1, 10)))
        let known = Self.known(error)
        observe(.failed(known, count: failures, delay: delay))
        let isNews = state.withLock { state in
          guard !state.isShortfallTold else { return false }
          state.isShortfallTold = true
          state.shortfall = NoticeShortfall(code: known.code, message: known.message, remedy: known.remedy ?? "")
          return true
        }
        if isNews { notify() }
        try? await Task.sleep(for: delay)
      }
    }
  }

  private func accept(_ messages: [MessageQueue.Message]) async {
    observe(.received(messages.count))
    var foreign: [MessageQueue.Message] = []
    var isNews = false
    for message in messages {
      guard let events = ObjectEvents(message.body) else {
        observe(.left(messageID: message.id, reason: "it is no object event of S3", receiveCount: message.receiveCount))
        continue
      }
      let uris = Set(events.changes.map(\.location).filter(source.mayTake).map(\.uri))
      if uris.isEmpty {
        foreign.append(message)
      } else {
        state.withLock { $0.held.add(message, uris) }
        isNews = true
      }
    }
    if isNews { notify() }
    let deleted = await delete(foreign)
    if deleted > 0 { observe(.passedOver(deleted)) }
  }

  /// Returns how many were deleted. The others come again, which does no harm.
  private func delete(_ messages: [MessageQueue.Message]) async -> Int {
    guard !messages.isEmpty else { return 0 }
    do {
      return messages.count - (try await queue.delete(messages)).count
    } catch {
      if !(error is CancellationError) { observe(.failed(Self.known(error), count: 1, delay: .zero)) }
      return 0
    }
  }

  /// Extends what is held, and wakes what waits.
  private func keep() async {
    let tick = min(.seconds(1), settings.pause)
    var extended = ContinuousClock.now
    while (try? await Task.sleep(for: tick)) != nil {
      let now = ContinuousClock.now
      if state.withLock({ $0.held.wake(at: now) }) { notify() }
      guard now - extended >= settings.visibility / 3 else { continue }
      extended = now
      let messages = state.withLock { $0.held.messages }
      guard !messages.isEmpty else { continue }
      do {
        let lost = try await queue.setVisibility(Int(settings.visibility.components.seconds), of: messages)
        state.withLock { $0.held.removeIdle(lost) }
      } catch {
        // The poll meets the same failure, and tells it.
        continue
      }
    }
  }

  // MARK: - Changes

  func take() async -> SourceChanges? {
    let (entries, shortfall) = state.withLock { state in
      defer { state.shortfall = nil }
      return (state.held.takeReady(), state.shortfall)
    }
    guard !entries.isEmpty || shortfall != nil else { return nil }
    let looks = await look(at: Set(entries.flatMap(\.uris)))
    var changes = SourceChanges(rootStamp: source.location.bucket, shortfall: shortfall)
    var told: Set<SourceURI> = []
    for entry in entries {
      let failures = entry.uris.compactMap { uri -> AWSError? in
        if case .failure(let error)? = looks[uri] { error } else { nil }
      }
      if let error = failures.first {
        putOff(entry, because: error)
      } else {
        told.formUnion(entry.uris)
      }
    }
    for uri in told.sorted() {
      guard case .success(let object)? = looks[uri] else { continue }
      if let object { changes.present.append(object) } else { changes.gone.append(uri) }
    }
    return changes.present.isEmpty && changes.gone.isEmpty && shortfall == nil ? nil : changes
  }

  /// A message whose object cannot be looked at: later, or never by this worker.
  private func putOff(_ entry: HeldMessages.Entry, because error: AWSError) {
    switch error.category {
    case .unavailable, .timedOut, .rateLimited, .cancelled, .unauthenticated:
      let time = ContinuousClock.now.advanced(by: settings.pause)
      state.withLock { $0.held.set(.later(time), [entry.message.id]) }
    default:
      state.withLock { $0.held.remove([entry.message.id]) }
      observe(
        .left(
          messageID: entry.message.id, reason: [error.message, error.remedy].compactMap { $0 }.joined(separator: ". "),
          receiveCount: entry.message.receiveCount))
    }
  }

  private func look(at uris: Set<SourceURI>) async -> [SourceURI: Result<SourceObject?, AWSError>] {
    await withTaskGroup(of: (SourceURI, Result<SourceObject?, AWSError>).self) { [source] group in
      var looks: [SourceURI: Result<SourceObject?, AWSError>] = [:]
      for (index, uri) in uris.enumerated() {
        if index >= 8, let (uri, look) = await group.next() { looks[uri] = look }
        group.addTask {
          do { return (uri, .success(try await source.object(at: uri))) } catch {
            return (uri, .failure(Self.known(error)))
          }
        }
      }
      for await (uri, look) in group { looks[uri] = look }
      return looks
    }
  }

  func settle(_ end: ChangesEnd) async {
    let taken = state.withLock { $0.held.taken }
    guard case .recorded(let inWork) = end else {
      state.withLock { $0.held.set(.ready, taken.map(\.message.id)) }
      return
    }
    let (waiting, done) = (
      taken.filter { !$0.uris.isDisjoint(with: inWork) }, taken.filter { $0.uris.isDisjoint(with: inWork) }
    )
    let time = ContinuousClock.now.advanced(by: settings.pause)
    state.withLock { $0.held.set(.later(time), waiting.map(\.message.id)) }
    guard !done.isEmpty else { return }
    // What is recorded is so even when this task is cancelled.
    let deleted = await Task { await delete(done.map(\.message)) }.value
    state.withLock { $0.held.remove(done.map(\.message.id)) }
    if deleted > 0 { observe(.deleted(deleted)) }
  }

  private static func known(_ error: any Error) -> AWSError {
    if let error = error as? AWSError { return error }
    let category: ErrorCategory = error is CancellationError ? .cancelled : .unavailable
    return AWSError("aws.unavailable", category, "\(error)", remedy: "Try again later.", underlying: error)
  }
}

extension ObjectEvents.Change {
  /// The object that something happened to.
  var location: S3Location {
    switch self {
    case .created(let location), .deleted(let location): location
    }
  }
}
