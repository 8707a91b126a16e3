import CPoppler
import Glibc
import PDFPipe

/// `quarry-pdf-reader`: reads one PDF for its parent, over standard input and output.
///
/// Poppler cannot be interrupted, and a small file can make it use any amount of time and memory; so it runs here,
/// in a process that has given itself limits, and whose end costs nobody but its own document.
@main
struct QuarryPDFReader {
  static func main() {
    if CommandLine.arguments.dropFirst().first == "--version" {
      let poppler = poppler_get_version().map { String(cString: $0) } ?? "unknown"
      writeAll("quarry-pdf-reader pipe \(pipeVersion) poppler \(poppler)\n".utf8)
      exit(0)
    }
    if isatty(STDIN_FILENO) == 1 {
      writeAll("quarry-pdf-reader is started by quarry and speaks to it over a pipe; it has no use by itself.\n".utf8)
      exit(2)
    }
    PopplerComplaints.install()
    endWithParent()
    var session = Session(output: ReplyOutput())
    exit(session.run())
  }
}

/// Ends the process as soon as the other end of standard input is closed, even while Poppler is busy: that is the one
/// sign of the parent's death that cannot be missed (PR_SET_PDEATHSIG follows the parent's thread).
private func endWithParent() {
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setstacksize(&attributes, 64 << 10)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  _ = pthread_create(&thread, &attributes, waitForHangUp, nil)
  pthread_attr_destroy(&attributes)
}

private func waitForHangUp(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // No event is asked for: poll reports a hang-up all the same, and does not wake for requests.
  var input = pollfd(fd: STDIN_FILENO, events: 0, revents: 0)
  while poll(&input, 1, -1) < 0 && errno == EINTR {}
  _exit(0)
}
