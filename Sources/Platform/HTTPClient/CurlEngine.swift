import CCurl
import Concurrency
import Glibc

/// libcurl's multi handle and the thread that owns it. Everything else talks to it by commands.
final class CurlEngine: @unchecked Sendable {
  private enum Command {
    case start(Transfer)
    case resume(Transfer)
    case cancel(Transfer)
  }

  private struct Inbox {
    var commands: [Command] = []
    var isStopped = false
  }

  private let multi: UnsafeMutableRawPointer?
  private let configuration: HTTPClientConfiguration
  private let inbox = Locked(Inbox())
  // The thread's own.
  private var handles: [ObjectIdentifier: CurlHandle] = [:]
  private var idle: [UnsafeMutableRawPointer] = []
  /// Transfers of which something came that was not told yet.
  private var news: [Transfer] = []

  /// Once for the process; libcurl 7.84 and later may be initialised from any thread, but only once at a time.
  private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  init(configuration: HTTPClientConfiguration) {
    self.configuration = configuration
    multi = Self.isReady ? curl_multi_init() : nil
    guard let multi else { return }
    ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, configuration.connectionsPerHost)
    ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, max(16, configuration.connectionsPerHost))
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let code = pthread_create(&thread, nil, curlThread, context)
    if code == 0 {
      pthread_detach(thread)
    } else {
      Unmanaged<CurlEngine>.fromOpaque(context).release()
      inbox.withLock { $0.isStopped = true }
    }
  }

  deinit {
    for easy in idle { curl_easy_cleanup(easy) }
    if let multi { curl_multi_cleanup(multi) }
  }

  // MARK: - From any thread

  func start(_ transfer: Transfer) {
    if !submit(.start(transfer)) {
      transfer.ended(.failure(HTTPClientError(.shutDown, "the HTTP client was shut down")))
    }
  }

  func resume(_ transfer: Transfer) { submit(.resume(transfer)) }

  func cancel(_ transfer: Transfer) { submit(.cancel(transfer)) }

  func stop() {
    inbox.withLock { $0.isStopped = true }
    if let multi { curl_multi_wakeup(multi) }
  }

  @discardableResult
  private func submit(_ command: Command) -> Bool {
    guard let multi else { return false }
    let (isOpen, isFirst) = inbox.withLock { inbox in
      guard !inbox.isStopped else { return (false, false) }
      inbox.commands.append(command)
      return (true, inbox.commands.count == 1)
    }
    if isFirst { curl_multi_wakeup(multi) }
    return isOpen
  }

  // MARK: - On the thread

  fileprivate func run() {
    guard let multi else { return }
    while true {
      let (commands, isStopped) = inbox.withLock { inbox in
        defer { inbox.commands.removeAll(keepingCapacity: true) }
        return (inbox.commands, inbox.isStopped)
      }
      for command in commands { perform(command, multi) }
      if isStopped { break }
      var running: Int32 = 0
      curl_multi_perform(multi, &running)
      var result = CURLE_OK
      while let easy = ccurl_next_done(multi, &result) { finish(easy, result, multi) }
      for transfer in news { transfer.wake() }
      news.removeAll(keepingCapacity: true)
      curl_multi_poll(multi, nil, 0, 60_000, nil)
    }
    for handle in handles.values {
      curl_multi_remove_handle(multi, handle.easy)
      handle.transfer.ended(.failure(HTTPClientError(.shutDown, "the HTTP client was shut down")))
      idle.append(handle.easy)
    }
    handles = [:]
  }

  /// Something of a transfer has come, by a callback of libcurl.
  func touched(_ transfer: Transfer) {
    if news.last !== transfer { news.append(transfer) }
  }

  private func perform(_ command: Command, _ multi: UnsafeMutableRawPointer) {
    switch command {
    case .start(let transfer): begin(transfer, multi)
    case .resume(let transfer):
      if let handle = handles[ObjectIdentifier(transfer)] { curl_easy_pause(handle.easy, CURLPAUSE_CONT) }
    case .cancel(let transfer):
      if let handle = handles.removeValue(forKey: ObjectIdentifier(transfer)) {
        curl_multi_remove_handle(multi, handle.easy)
        recycle(handle.easy)
        transfer.ended(.failure(CancellationError()))
      }
    }
  }

  private func begin(_ transfer: Transfer, _ multi: UnsafeMutableRawPointer) {
    // Its cancellation may have overtaken its start.
    guard !transfer.isCancelled else { return transfer.ended(.failure(CancellationError())) }
    guard let easy = idle.popLast() ?? curl_easy_init() else {
      return transfer.ended(.failure(HTTPClientError(.connectionFailed, "there is no memory for a request")))
    }
    guard let handle = CurlHandle(transfer: transfer, easy: easy, configuration: configuration) else {
      recycle(easy)
      let error = HTTPClientError(.invalidRequest, "the request to '\(transfer.request.authority)' cannot be made")
      return transfer.ended(.failure(error))
    }
    handles[ObjectIdentifier(transfer)] = handle
    curl_multi_add_handle(multi, easy)
  }

  private func finish(_ easy: UnsafeMutableRawPointer, _ result: CURLcode, _ multi: UnsafeMutableRawPointer) {
    curl_multi_remove_handle(multi, easy)
    guard let context = ccurl_private(easy) else { return recycle(easy) }
    let handle = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
    let transfer = handle.transfer
    // A server closes idle connections when it likes: the request on one of them has never been read.
    if [CURLE_SEND_ERROR, CURLE_GOT_NOTHING, CURLE_RECV_ERROR].contains(result), !handle.wasRestarted,
      transfer.request.isIdempotent, handle.mayHaveMetClosedConnection
    {
      handle.restart()
      curl_multi_add_handle(multi, easy)
      return
    }
    let outcome: Result<Void, any Error> =
      result == CURLE_OK
      ? .success(())
      : .failure(
        HTTPClientError(
          result, detail: handle.detail, request: transfer.request, hadResponse: transfer.hasHead))
    handles[ObjectIdentifier(transfer)] = nil
    recycle(easy)
    transfer.ended(outcome)
  }

  /// Easy handles are costly to make; a few are kept. Connections live in the multi handle.
  private func recycle(_ easy: UnsafeMutableRawPointer) {
    guard idle.count < 64 else { return curl_easy_cleanup(easy) }
    curl_easy_reset(easy)
    idle.append(easy)
  }
}

private func curlThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let context else { return nil }
  Unmanaged<CurlEngine>.fromOpaque(context).takeRetainedValue().run()
  return nil
}
