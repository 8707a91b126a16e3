/// A named piece of long-running work: a server, a watcher, an exporter.
public struct GroupedService: Sendable {
  /// What it means for the group when the service returns although nobody asked it to stop.
  public enum EarlyEnd: Sendable, Hashable {
    /// A fault: the group stops and throws `ServiceGroupError`.
    case failsGroup
    /// The work is done, and with it the group's: a graceful shutdown without an error.
    case stopsGroup
    /// The others go on (a task of the start-up, for example).
    case isIgnored
  }

  /// The name in events and errors.
  public let name: String
  /// What an unasked return means.
  public let earlyEnd: EarlyEnd
  let run: @Sendable () async throws -> Void
  let shutdown: (@Sendable () async -> Void)?

  /// Creates a service.
  /// - Parameters:
  ///   - shutdown: asks the service to drain, after which `run` must return by itself; without it `run` is cancelled.
  ///   - run: the work; returns after `shutdown` or on cancellation.
  public init(
    name: String, earlyEnd: EarlyEnd = .failsGroup, shutdown: (@Sendable () async -> Void)? = nil,
    run: @escaping @Sendable () async throws -> Void
  ) {
    self.name = name
    self.earlyEnd = earlyEnd
    self.shutdown = shutdown
    self.run = run
  }
}

/// A service returned although nobody had asked it to stop.
public struct ServiceGroupError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The service's name.
  public let service: String

  /// A sentence for logs.
  public var description: String { "the service '\(service)' ended unexpectedly" }
}

/// Runs services as structured child tasks and ends them together.
///
/// Shutdown starts on a signal, on `triggerShutdown()`, or when a service fails or ends. Services stop one after the
/// other in reverse order of the list, so that each may rely on those before it (the exporter outlives the server that
/// feeds it). When the grace period is over, or on a second signal, everything left is cancelled at once.
/// `run()` returns when all have ended: a service that ignores cancellation is waited for.
public final class ServiceGroup: Sendable {
  /// What happens in the group, for its log.
  public enum Event: Sendable {
    /// A service's task was started.
    case started(String)
    /// The graceful shutdown begins.
    case stopping(Reason)
    /// A service has ended, with its error if it failed.
    case ended(String, error: (any Error)?)
    /// Draining is over: the named services are cancelled.
    case cancelling([String])
  }

  /// Why the group stops.
  public enum Reason: Sendable, Hashable {
    /// A signal arrived.
    case signal(Signal)
    /// `triggerShutdown()` was called.
    case triggered
    /// The named service failed or ended.
    case service(String)
  }

  private enum Message: Sendable {
    case signal(Signal)
    case triggered
    case ended(Int, error: (any Error)?)
    case graceExpired
  }

  private let services: [GroupedService]
  private let gracePeriod: Duration
  private let signals: Set<Signal>
  private let clock: any Clock<Duration>
  private let observe: @Sendable (Event) -> Void
  private let messages: AsyncStream<Message>
  private let send: AsyncStream<Message>.Continuation

  /// Creates a group; `run()` starts it.
  /// - Parameters:
  ///   - services: in the order of their start.
  ///   - gracePeriod: the time for the whole drain before cancellation.
  ///   - signals: those that start the shutdown; the second one cancels.
  ///   - clock: measures the grace period.
  ///   - observe: called for each event, on any thread; must not block.
  public init(
    _ services: [GroupedService], gracePeriod: Duration = .seconds(30),
    signals: Set<Signal> = [.terminate, .interrupt], clock: any Clock<Duration> = ContinuousClock(),
    observe: @escaping @Sendable (Event) -> Void = { _ in }
  ) {
    self.services = services
    self.gracePeriod = gracePeriod
    self.signals = signals
    self.clock = clock
    self.observe = observe
    (messages, send) = AsyncStream.makeStream()
  }

  /// Starts the graceful shutdown; later calls, and calls after the end, do nothing.
  public func triggerShutdown() {
    send.yield(.triggered)
  }

  /// Runs the services until all have ended. Call it once.
  /// - Throws: the error of the service that failed first; `ServiceGroupError` for one that ended unasked;
  ///   `CancellationError` if the calling task was cancelled.
  public func run() async throws {
    var failure: (any Error)?
    await withTaskGroup(of: Void.self) { tasks in
      failure = await supervise(in: &tasks)
      tasks.cancelAll()
    }
    send.finish()
    if let failure { throw failure }
  }

  private func supervise(in tasks: inout TaskGroup<Void>) async -> (any Error)? {
    if services.isEmpty { return nil }
    if !signals.isEmpty {
      // Made before the services start, so that no signal of theirs finds the default action.
      let stream = Signals.stream(of: signals)
      tasks.addTask { [send] in
        for await signal in stream { send.yield(.signal(signal)) }
      }
    }
    var stops: [AsyncStream<Never>.Continuation] = []
    for (index, service) in services.enumerated() {
      let (stop, requestStop) = AsyncStream<Never>.makeStream()
      stops.append(requestStop)
      tasks.addTask { [send] in
        let error = await Self.run(service, stop: stop)
        send.yield(.ended(index, error: error))
      }
      observe(.started(service.name))
    }
    var alive = Set(services.indices)
    var failure: (any Error)?
    var isStopping = false
    var isCancelled = false

    func cancel(_ tasks: inout TaskGroup<Void>) {
      if isCancelled { return }
      isCancelled = true
      observe(.cancelling(alive.sorted().map { services[$0].name }))
      tasks.cancelAll()
    }
    func stop(because reason: Reason, _ tasks: inout TaskGroup<Void>) {
      isStopping = true
      observe(.stopping(reason))
      tasks.addTask { [clock, gracePeriod, send] in
        if (try? await clock.sleep(for: gracePeriod)) != nil { send.yield(.graceExpired) }
      }
      if let last = alive.max() { stops[last].finish() }
    }

    for await message in messages {
      switch message {
      case .ended(let index, let error):
        let service = services[index]
        alive.remove(index)
        let isOwnFault = !(isStopping && error is CancellationError)
        observe(.ended(service.name, error: isOwnFault ? error : nil))
        if let error, isOwnFault, failure == nil { failure = error }
        if isStopping {
          if let last = alive.max() { stops[last].finish() }
        } else if error != nil || service.earlyEnd != .isIgnored {
          if error == nil, service.earlyEnd == .failsGroup { failure = ServiceGroupError(service: service.name) }
          stop(because: .service(service.name), &tasks)
        }
      case .signal(let signal): if isStopping { cancel(&tasks) } else { stop(because: .signal(signal), &tasks) }
      case .triggered: if !isStopping { stop(because: .triggered, &tasks) }
      case .graceExpired: cancel(&tasks)
      }
      if alive.isEmpty { return failure }
    }
    // The stream ended although services are alive: the calling task was cancelled, and they with it.
    return failure ?? CancellationError()
  }

  /// One service's work beside the wait for its turn to stop; returns the error it failed with.
  private static func run(_ service: GroupedService, stop: AsyncStream<Never>) async -> (any Error)? {
    enum Step: Sendable {
      case ended((any Error)?)
      case askedToStop(drains: Bool)
    }
    return await withTaskGroup(of: Step.self) { tasks in
      tasks.addTask {
        do {
          try await service.run()
          return .ended(nil)
        } catch { return .ended(error) }
      }
      tasks.addTask {
        for await _ in stop {}
        guard let shutdown = service.shutdown, !Task.isCancelled else { return .askedToStop(drains: false) }
        await shutdown()
        return .askedToStop(drains: true)
      }
      while let step = await tasks.next() {
        switch step {
        case .askedToStop(let drains): if !drains { tasks.cancelAll() }
        case .ended(let error):
          tasks.cancelAll()
          return error
        }
      }
      return nil
    }
  }
}
