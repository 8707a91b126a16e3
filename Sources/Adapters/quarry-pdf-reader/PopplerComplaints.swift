import CPoppler
import Glibc
import PDFPipe

/// What Poppler and GLib log: kept as warnings of the page being read, bounded in number and length, because a broken
/// file can cause millions.
///
/// The state is global since the C callback has no other place for it, and unsafe only in name: the reader works on
/// one thread, and its other thread does nothing but wait.
enum PopplerComplaints {
  /// Most complaints kept for one document.
  static let maxKept = 100
  /// Most UTF-8 bytes of one complaint.
  static let maxLength = 200

  nonisolated(unsafe) private static var pending: [String] = []
  nonisolated(unsafe) private static var kept = 0
  nonisolated(unsafe) private(set) static var dropped: UInt32 = 0

  /// From now on, logging comes here instead of standard error.
  static func install() { g_log_set_default_handler(receiveLog, nil) }

  /// The complaints since the last call.
  static func take() -> [String] {
    defer { pending.removeAll(keepingCapacity: true) }
    return pending
  }

  fileprivate static func add(_ message: UnsafePointer<CChar>) {
    guard kept < maxKept else {
      dropped &+= dropped == .max ? 0 : 1
      return
    }
    kept += 1
    let length = strnlen(message, maxLength)
    let bytes = UnsafeRawBufferPointer(start: message, count: length)
    pending.append(String(decoding: bytes, as: UTF8.self))
  }
}

private func receiveLog(
  domain: UnsafePointer<CChar>?, level: GLogLevelFlags, message: UnsafePointer<CChar>?, _: UnsafeMutableRawPointer?
) {
  guard let message else { return }
  if level.rawValue & (G_LOG_LEVEL_ERROR.rawValue | G_LOG_FLAG_FATAL.rawValue) != 0 {
    // GLib aborts after this; the parent tells from the text on standard error that memory ran out.
    _ = write(STDERR_FILENO, message, strlen(message))
    return
  }
  PopplerComplaints.add(message)
}
