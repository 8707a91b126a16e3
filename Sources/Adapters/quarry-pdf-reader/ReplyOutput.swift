import Glibc
import PDFPipe

/// Standard output as a sequence of frames, counted against the document's output limit.
struct ReplyOutput {
  private var sent: UInt64 = 0
  /// Most bytes to send; only a failure may follow beyond it.
  var limit: UInt64 = .max

  /// Sends a reply. Returns false, having sent nothing, when the limit does not allow it.
  mutating func send(_ reply: ReaderReply) -> Bool {
    let frame = reply.frame
    let size = UInt64(Frame.headerSize + frame.payload.count)
    guard size <= limit, sent <= limit - size else { return false }
    sent += size
    write(frame)
    return true
  }

  /// Sends the last word, which no limit holds back.
  func fail(_ failure: FailureMessage) { write(ReaderReply.failure(failure).frame) }

  private func write(_ frame: Frame) {
    writeAll(Frame(kind: frame.kind, payload: frame.payload).encoded)
  }
}

/// Writes to standard output, waiting while the parent is slow; ends the process when the parent is gone.
func writeAll(_ bytes: some Collection<UInt8>) {
  let bytes = ContiguousArray(bytes)
  bytes.withUnsafeBytes { buffer in
    var offset = 0
    while offset < buffer.count {
      let written = write(STDOUT_FILENO, buffer.baseAddress! + offset, buffer.count - offset)
      if written > 0 {
        offset += written
      } else if errno != EINTR {
        _exit(0)
      }
    }
  }
}
