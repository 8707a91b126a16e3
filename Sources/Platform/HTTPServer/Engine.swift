import CMicroHTTPD
import Concurrency

/// What the library's callbacks do; all of them run on its one thread.
final class Engine: Sendable {
  private struct Counts {
    var exchanges = 0
    var handlers = 0
    var bodyBytes = 0
    var isDraining = false
    var isStopping = false
    var lastMessage: String?
  }

  let configuration: HTTPServerConfiguration
  let handler: @Sendable (HTTPRequest) async -> HTTPResponse
  let watcher: ConnectionWatcher
  private let counts = Locked(Counts())

  init(configuration: HTTPServerConfiguration, handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse) {
    self.configuration = configuration
    self.handler = handler
    watcher = ConnectionWatcher(limits: .init(configuration))
  }

  // MARK: Counts

  /// Requests and handlers that have not ended.
  var inFlight: Int { counts.withLock { max($0.exchanges, $0.handlers) } }

  /// The library's last complaint.
  var lastMessage: String? { counts.withLock { $0.lastMessage } }

  func drain() { counts.withLock { $0.isDraining = true } }

  /// Lets every connection go; none is suspended afterwards, and none will be.
  func abandonAll() {
    counts.withLock { $0.isStopping = true }
    for exchange in watcher.exchanges() { exchange.abandon() }
  }

  func handlerEnded() { counts.withLock { $0.handlers -= 1 } }

  func release(bytes: Int) {
    if bytes > 0 { counts.withLock { $0.bodyBytes -= bytes } }
  }

  private func reserve(bytes: Int) -> Bool {
    counts.withLock { counts in
      guard counts.bodyBytes + bytes <= configuration.maxBufferedBodyBytes else { return false }
      counts.bodyBytes += bytes
      return true
    }
  }

  private func admitHandler() -> Bool {
    counts.withLock { counts in
      guard counts.handlers < configuration.maxConcurrentRequests else { return false }
      counts.handlers += 1
      return true
    }
  }

  func errorResponse(_ refusal: HTTPRefusal, _ head: HTTPRequestHead?) -> HTTPResponse {
    var response = configuration.errorResponse(refusal, head)
    if refusal.status == 503, response.headers["Retry-After"] == nil {
      response.headers["Retry-After"] = String(configuration.retryAfterSeconds)
    }
    return response
  }

  // MARK: Callbacks

  func log(_ message: String) {
    let message = message.trimmingNewlines
    counts.withLock { $0.lastMessage = message }
    configuration.log?(.message(message))
  }

  /// The request line has arrived: the exchange begins.
  func targetArrived(_ uri: UnsafePointer<CChar>?, on connection: OpaquePointer) -> Exchange? {
    guard let context = cmhd_socket_context(connection) else { return nil }
    let client = Unmanaged<ClientConnection>.fromOpaque(context).takeUnretainedValue()
    let exchange = Exchange(engine: self, client: client, connection: connection)
    if let uri {
      exchange.reading.target = String(cString: uri)
      exchange.reading.targetPointer = uri
      var length = 0
      while uri[length] != 0 { length += 1 }
      exchange.reading.targetLength = length
    }
    client.state.withLock { $0.exchange = exchange }
    let isStopping = counts.withLock { counts in
      counts.exchanges += 1
      return counts.isStopping
    }
    if isStopping { exchange.abandon() }
    return exchange
  }

  func completed(_ exchange: Exchange, _ code: MHD_RequestTerminationCode) {
    if exchange.reading.mustClose { exchange.client.linger() }
    exchange.over(code)
    counts.withLock { $0.exchanges -= 1 }
  }

  /// The head has arrived. Nothing is queued here that need not be: the library closes the connection of a request
  /// answered in this call, so answers wait for the next one where the body is short enough to be read and dropped.
  func headArrived(
    _ exchange: Exchange, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
  ) -> MHD_Result {
    exchange.reading.hasBegun = true
    switch readHead(exchange, method: method, version: version) {
    case .failure(let refused):
      exchange.reading.refusal = refused.refusal
      exchange.reading.mustClose = true
      return queue(errorResponse(refused.refusal, nil), on: exchange)
    case .success(let verdict):
      exchange.reading.verdict = verdict
      let limit = verdict.body == .none ? nil : exchange.reading.head.flatMap { configuration.streamedBodyLimit?($0) }
      if let answer = answerBeforeBody(exchange, verdict, streamLimit: limit) {
        return answerEarly(answer, exchange, verdict)
      }
      guard let limit, let head = exchange.reading.head else { return .YES }
      guard admitHandler() else { return answerEarly(refuse(exchange, overloaded), exchange, verdict) }
      exchange.reading.isAtHead = true
      if exchange.startHandler(HTTPRequest(head: head, exchange: exchange), streamLimit: limit) { return .YES }
      handlerEnded()
      return .NO
    }
  }

  /// The handler of a streamed body has answered, or asked for the body: the library, still at the head, calls again.
  func headResumed(_ exchange: Exchange) -> MHD_Result {
    exchange.reading.isAtHead = false
    guard exchange.state.withLock({ !$0.isAbandoned }) else { return .NO }
    guard let answer = takeAnswer(exchange) else { return .YES }
    return answerEarly(answer, exchange, exchange.reading.verdict)
  }

  /// What the handler, or its time limit, has left to be sent.
  private func takeAnswer(_ exchange: Exchange) -> HTTPResponse? {
    let (response, hasExpired) = exchange.takeResult()
    exchange.reading.answerIsHandlers = response != nil
    return response ?? (hasExpired ? refuse(exchange, handlerDeadline) : nil)
  }

  private func readHead(
    _ exchange: Exchange, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
  ) -> Result<Framing.Verdict, Framing.Refused> {
    let capacity = configuration.maxHeaderFields
    return withUnsafeTemporaryAllocation(of: cmhd_header.self, capacity: capacity) { buffer in
      let count = Int(cmhd_headers(exchange.connection, buffer.baseAddress, Int32(capacity)))
      guard count <= capacity else {
        return .refused("There are too many header fields.", status: 431, code: "too_many_header_fields")
      }
      let fields = UnsafeBufferPointer(rebasing: buffer.prefix(count))
      let reading = exchange.reading
      guard
        cmhd_head_is_exact(
          exchange.connection, method, reading.targetPointer, reading.targetLength, version, fields.baseAddress,
          Int32(count))
      else { return .refused("The request head is malformed.") }
      let result = Framing.inspect(
        method: method, isHTTP11: String(cString: version) != "HTTP/1.0", fields: fields)
      guard case .success(let verdict) = result else { return result }
      let length: Int? =
        switch verdict.body {
        case .none: 0
        case .length(let length): length
        case .chunked: nil
        }
      do throws(HTTPTargetError) {
        exchange.reading.head = try HTTPRequestHead(
          method: String(cString: method), target: reading.target,
          headers: HTTPHeaders(fields.map { .init(name: $0.nameText, value: $0.valueText) }),
          remoteAddress: exchange.client.remoteAddress, isTLS: configuration.tls != nil, contentLength: length)
      } catch {
        return .refused(error.message, code: "malformed_target")
      }
      return result
    }
  }

  /// The answer that makes reading the body needless, if there is one.
  private func answerBeforeBody(
    _ exchange: Exchange, _ verdict: Framing.Verdict, streamLimit: Int?
  ) -> HTTPResponse? {
    guard let head = exchange.reading.head else { return nil }
    if let response = configuration.early?(head) { return response }
    guard case .length(let length) = verdict.body else { return nil }
    if length > streamLimit ?? configuration.maxBodyBytes { return refuse(exchange, bodyTooLarge(streamLimit)) }
    guard streamLimit == nil else { return nil }
    guard reserve(bytes: length) else { return refuse(exchange, overloaded) }
    exchange.reading.reservedBytes = length
    return nil
  }

  private func answerEarly(_ response: HTTPResponse, _ exchange: Exchange, _ verdict: Framing.Verdict) -> MHD_Result {
    switch verdict.body {
    case .none: break
    case .length(let length) where length <= configuration.maxDrainedBytes && !verdict.expectsContinue: break
    case .length, .chunked:
      exchange.reading.mustClose = true
      return queue(response, on: exchange, isHandlers: exchange.reading.answerIsHandlers)
    }
    exchange.reading.answer = response
    return .YES
  }

  private func refuse(_ exchange: Exchange, _ refusal: HTTPRefusal) -> HTTPResponse {
    exchange.reading.refusal = refusal
    return errorResponse(refusal, exchange.reading.head)
  }

  private func bodyTooLarge(_ limit: Int?) -> HTTPRefusal {
    HTTPRefusal(
      status: 413, code: "body_too_large",
      message: "The request body is longer than \(limit ?? configuration.maxBodyBytes) bytes.")
  }

  private var overloaded: HTTPRefusal {
    HTTPRefusal(status: 503, code: "overloaded", message: "The server is busy; try again later.")
  }

  private var handlerDeadline: HTTPRefusal {
    HTTPRefusal(
      status: 503, code: "handler_deadline", message: "The request took longer than the server allows.")
  }

  /// A piece of the body has arrived.
  func bodyArrived(_ exchange: Exchange, _ bytes: UnsafeRawBufferPointer) -> MHD_Result {
    exchange.state.withLock { $0.received += bytes.count }
    let streamLimit = exchange.state.withLock { $0.incoming.limit }
    if exchange.reading.answer == nil, let streamLimit {
      exchange.reading.answer = takeAnswer(exchange)
      if exchange.reading.answer == nil {
        if exchange.receive(bytes) { return .YES }
        exchange.reading.answer = refuse(exchange, bodyTooLarge(streamLimit))
      }
    }
    if exchange.reading.answer == nil {
      let total = exchange.reading.body.count + bytes.count
      if total > configuration.maxBodyBytes {
        exchange.reading.answer = refuse(exchange, bodyTooLarge(nil))
        exchange.reading.body = []
      } else if total > exchange.reading.reservedBytes, !reserve(bytes: total - exchange.reading.reservedBytes) {
        exchange.reading.answer = refuse(exchange, overloaded)
        exchange.reading.body = []
      } else {
        exchange.reading.reservedBytes = max(total, exchange.reading.reservedBytes)
        exchange.reading.body.append(contentsOf: bytes)
        return .YES
      }
    }
    exchange.reading.drained += bytes.count
    guard exchange.reading.drained <= max(configuration.maxDrainedBytes, streamLimit ?? 0) else {
      exchange.state.withLock { $0.wasAborted = true }
      return .NO
    }
    return .YES
  }

  /// The whole request has arrived, or the connection has been resumed.
  func requestArrived(_ exchange: Exchange) -> MHD_Result {
    if let answer = exchange.reading.answer {
      exchange.reading.answer = nil
      return queue(answer, on: exchange, isHandlers: exchange.reading.answerIsHandlers)
    }
    if let answer = takeAnswer(exchange) {
      return queue(answer, on: exchange, isHandlers: exchange.reading.answerIsHandlers)
    }
    if exchange.state.withLock({ $0.incoming.limit != nil }) {
      if exchange.endBody() { return .YES }
      // It was answered, or given up, in this very moment.
      return takeAnswer(exchange).map { queue($0, on: exchange, isHandlers: exchange.reading.answerIsHandlers) } ?? .NO
    }
    guard let head = exchange.reading.head, exchange.state.withLock({ !$0.isAbandoned }) else { return .NO }
    guard admitHandler() else { return queue(refuse(exchange, overloaded), on: exchange) }
    let body = exchange.reading.body
    exchange.reading.body = []
    if exchange.startHandler(HTTPRequest(head: head, body: body)) { return .YES }
    handlerEnded()
    return .NO
  }

  private func queue(_ response: HTTPResponse, on exchange: Exchange, isHandlers: Bool = false) -> MHD_Result {
    exchange.state.withLock { $0.phase = .responding }
    let mustClose = exchange.reading.mustClose || counts.withLock { $0.isDraining }
    if let fault = queueResponse(
      response, on: exchange, serverName: configuration.serverName, mustClose: mustClose, mayStream: isHandlers)
    {
      log("A response to \(exchange.reading.target) cannot be sent: \(fault).")
      let refusal = HTTPRefusal(status: 500, code: "malformed_response", message: "The server made a faulty response.")
      exchange.cancel()
      let failed = queueResponse(
        errorResponse(refusal, exchange.reading.head), on: exchange, serverName: nil, mustClose: true, mayStream: false)
      return failed == nil ? .YES : .NO
    }
    return .YES
  }
}

extension String {
  fileprivate var trimmingNewlines: String {
    String(self[..<(lastIndex { !$0.isNewline }.map(index(after:)) ?? startIndex)])
  }
}
