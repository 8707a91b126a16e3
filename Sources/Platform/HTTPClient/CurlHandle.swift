import CCurl

/// One of libcurl's easy handles set up for a transfer. Used on the engine's thread only.
final class CurlHandle {
  let easy: UnsafeMutableRawPointer
  let transfer: Transfer
  private var headers: UnsafeMutablePointer<curl_slist>?
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var body: UnsafeMutableBufferPointer<UInt8>?
  /// The head that is being received.
  private var status = 0
  private var received: [HTTPClientRequest.Header] = []
  /// Whether the head was handed on.
  private var hasHead = false
  /// Whether it was sent again because an idle connection turned out to be closed.
  var wasRestarted = false

  init?(transfer: Transfer, easy: UnsafeMutableRawPointer, configuration: HTTPClientConfiguration) {
    self.easy = easy
    self.transfer = transfer
    errorText[0] = 0
    guard apply(transfer.request, configuration) else { return nil }
  }

  deinit {
    curl_slist_free_all(headers)
    errorText.deallocate()
    body?.deallocate()
  }

  var detail: String { String(cString: errorText) }

  /// Whether the connection had been used before, and nothing of the response had come.
  var mayHaveMetClosedConnection: Bool {
    ccurl_long(easy, CURLINFO_NUM_CONNECTS) == 0 && !transfer.hasHead && status == 0
  }

  func restart() {
    wasRestarted = true
    errorText[0] = 0
    ccurl_set_long(easy, CURLOPT_FRESH_CONNECT, 1)
  }

  // MARK: - Options

  private func apply(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) -> Bool {
    // Unretained: the engine keeps the handle until it has removed it.
    let context = Unmanaged.passUnretained(self).toOpaque()
    var isValid = true
    func long(_ option: CURLoption, _ value: Int) {
      isValid = ccurl_set_long(easy, option, value) == CURLE_OK && isValid
    }
    func text(_ option: CURLoption, _ value: String) {
      isValid = ccurl_set_text(easy, option, value) == CURLE_OK && isValid
    }
    text(CURLOPT_URL, request.url)
    text(CURLOPT_PROTOCOLS_STR, "http,https")
    long(CURLOPT_PATH_AS_IS, 1)
    long(CURLOPT_NOSIGNAL, 1)
    long(CURLOPT_FOLLOWLOCATION, 0)
    long(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    long(CURLOPT_NOPROGRESS, 1)
    long(CURLOPT_TCP_NODELAY, 1)
    long(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    long(CURLOPT_MAXAGE_CONN, configuration.idleConnectionSeconds)
    long(CURLOPT_CONNECTTIMEOUT_MS, request.connectTimeout.milliseconds)
    if let timeout = request.timeout { long(CURLOPT_TIMEOUT_MS, timeout.milliseconds) }
    if let idle = request.idleTimeout {
      long(CURLOPT_LOW_SPEED_LIMIT, 1)
      long(CURLOPT_LOW_SPEED_TIME, max(1, (idle.milliseconds + 999) / 1_000))
    }
    if let file = configuration.certificateAuthorities { text(CURLOPT_CAINFO, file) }
    if !request.mayUseProxy {
      text(CURLOPT_NOPROXY, "*")
    } else if let proxy = configuration.proxy {
      text(CURLOPT_PROXY, proxy)
    }
    ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
    ccurl_set_pointer(easy, CURLOPT_PRIVATE, context)
    ccurl_set_pointer(easy, CURLOPT_WRITEDATA, context)
    ccurl_set_pointer(easy, CURLOPT_HEADERDATA, context)
    ccurl_set_callback(easy, CURLOPT_WRITEFUNCTION, Self.onBody)
    ccurl_set_callback(easy, CURLOPT_HEADERFUNCTION, Self.onHeader)
    setMethod(request, long: long, text: text)
    setHeaders(request, configuration)
    return isValid
  }

  private func setMethod(
    _ request: HTTPClientRequest, long: (CURLoption, Int) -> Void, text: (CURLoption, String) -> Void
  ) {
    if let bytes = request.body {
      // libcurl reads the body from here for as long as the transfer runs.
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, bytes.count))
      _ = copy.initialize(from: bytes)
      body = copy
      long(CURLOPT_POST, 1)
      ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
      ccurl_set_pointer(easy, CURLOPT_POSTFIELDS, copy.baseAddress)
      if request.method != "POST" { text(CURLOPT_CUSTOMREQUEST, request.method) }
    } else if request.method == "HEAD" {
      long(CURLOPT_NOBODY, 1)
    } else if request.method == "POST" || request.method == "PUT" {
      long(CURLOPT_POST, 1)
      ccurl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, 0)
      ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, "")
      if request.method != "POST" { text(CURLOPT_CUSTOMREQUEST, request.method) }
    } else {
      long(CURLOPT_HTTPGET, 1)
      if request.method != "GET" { text(CURLOPT_CUSTOMREQUEST, request.method) }
    }
  }

  private func setHeaders(_ request: HTTPClientRequest, _ configuration: HTTPClientConfiguration) {
    func has(_ name: String) -> Bool {
      request.headers.contains { $0.name.utf8.count == name.utf8.count && $0.name.lowercased() == name }
    }
    for header in request.headers {
      // `Name;` is how libcurl is told to send an empty value.
      let line = header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
      headers = curl_slist_append(headers, line)
    }
    // Without these, libcurl adds values of its own.
    if !has("accept") { headers = curl_slist_append(headers, "Accept:") }
    if request.body != nil {
      if !has("expect") { headers = curl_slist_append(headers, "Expect:") }
      if !has("content-type") { headers = curl_slist_append(headers, "Content-Type:") }
    }
    if !has("user-agent") { ccurl_set_text(easy, CURLOPT_USERAGENT, configuration.userAgent) }
    ccurl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
  }

  // MARK: - Callbacks

  private static let onBody: ccurl_data_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let handle = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
    let taken = handle.transfer.received(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return taken ? size * count : Int(CURL_WRITEFUNC_PAUSE)
  }

  private static let onHeader: ccurl_data_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let handle = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
    handle.receivedHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
    return size * count
  }

  /// One line of a head; an empty one ends it. Trailers come here too, after the head, and are passed over.
  private func receivedHeader(_ bytes: UnsafeRawBufferPointer) {
    guard !hasHead else { return }
    var line = bytes[...]
    while let last = line.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: "\n") { line.removeLast() }
    if line.isEmpty {
      // Interim responses (1xx) are followed by the real one.
      guard status >= 200 else { return }
      hasHead = true
      transfer.received(Transfer.Head(status: status, headers: received))
    } else if line.starts(with: Self.protocolName), let space = line.firstIndex(of: UInt8(ascii: " ")) {
      let code = line[(space + 1)...].prefix { $0 != UInt8(ascii: " ") }
      status = Int(String(decoding: code, as: UTF8.self)) ?? 0
      received = []
    } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
      func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
      var value = line[(colon + 1)...].drop(while: isBlank)
      while let last = value.last, isBlank(last) { value.removeLast() }
      received.append(.init(String(decoding: line[..<colon], as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }
  }

  private static let protocolName = Array("HTTP/".utf8)
}

extension Duration {
  /// Whole milliseconds, at least 1.
  fileprivate var milliseconds: Int {
    let (seconds, attoseconds) = components
    return max(1, Int(clamping: seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
  }
}
