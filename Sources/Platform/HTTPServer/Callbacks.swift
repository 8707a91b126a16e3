import CMicroHTTPD

// The library's callbacks as plain functions: closures formed in isolated code would assert its executor.

private func engine(_ context: UnsafeMutableRawPointer?) -> Engine? {
  context.map { Unmanaged<Engine>.fromOpaque($0).takeUnretainedValue() }
}

private func exchange(_ context: UnsafeMutableRawPointer?) -> Exchange? {
  context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
}

func onTarget(
  _ context: UnsafeMutableRawPointer?, _ uri: UnsafePointer<CChar>?, _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
  guard let connection, let exchange = engine(context)?.targetArrived(uri, on: connection) else { return nil }
  return Unmanaged.passRetained(exchange).toOpaque()
}

func onAccess(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?, _ url: UnsafePointer<CChar>?,
  _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
  _ uploadSize: UnsafeMutablePointer<Int>?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
  guard let engine = engine(context), let method, let version, let uploadSize, let exchange = exchange(slot?.pointee)
  else { return .NO }
  if !exchange.reading.hasBegun { return engine.headArrived(exchange, method: method, version: version) }
  if exchange.reading.isAtHead { return engine.headResumed(exchange) }
  if uploadSize.pointee > 0 {
    let count = uploadSize.pointee
    uploadSize.pointee = 0
    return engine.bodyArrived(exchange, UnsafeRawBufferPointer(start: upload, count: count))
  }
  return engine.requestArrived(exchange)
}

func onCompleted(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_RequestTerminationCode
) {
  guard let engine = engine(context), let pointer = slot?.pointee else { return }
  slot?.pointee = nil
  engine.completed(Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue(), code)
}

func onConnection(
  _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
  _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_ConnectionNotificationCode
) {
  guard let engine = engine(context), let connection, let slot else { return }
  if code == .CONNECTION_NOTIFY_STARTED {
    slot.pointee = Unmanaged.passRetained(engine.watcher.add(connection)).toOpaque()
  } else if let pointer = slot.pointee {
    slot.pointee = nil
    engine.watcher.remove(Unmanaged<ClientConnection>.fromOpaque(pointer).takeRetainedValue())
  }
}

func onLog(_ context: UnsafeMutableRawPointer?, _ message: UnsafePointer<CChar>?) {
  guard let message else { return }
  engine(context)?.log(String(cString: message))
}
