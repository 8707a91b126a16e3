import CPoppler
import Glibc
import PDFPipe

/// The reader's life: requests in, replies out, one document.
struct Session {
  private var output: ReplyOutput
  private var decoder = FrameDecoder(maxPayload: ReaderRequest.maxPayload)
  private var document: OpenDocument?

  init(output: ReplyOutput) { self.output = output }

  /// Serves requests until standard input ends or a failure was reported. Returns the exit status.
  mutating func run() -> Int32 {
    do {
      while let frame = try nextFrame() {
        if let failure = serve(try ReaderRequest(frame)) {
          output.fail(failure)
          return 1
        }
      }
      return 0
    } catch PipeError.versionMismatch(let version) {
      output.fail(
        FailureMessage(
          .versionMismatch, "the parent speaks version \(version), this reader \(pipeVersion)",
          number: UInt64(pipeVersion)))
    } catch {
      output.fail(FailureMessage(.badRequest, "malformed request: \(error)"))
    }
    return 1
  }

  private mutating func nextFrame() throws -> Frame? {
    while true {
      if let frame = try decoder.next() { return frame }
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = read(STDIN_FILENO, &buffer, buffer.count)
      if count > 0 {
        decoder.append(buffer[..<count])
      } else if count == 0 || errno != EINTR {
        return nil
      }
    }
  }

  private mutating func serve(_ request: ReaderRequest) -> FailureMessage? {
    switch (request, document) {
    case (.open(let request), nil): return open(request)
    case (.extract(let request), let document?): return extract(request, document)
    case (.render(let request), let document?): return render(request, document)
    default: return FailureMessage(.badRequest, "open must come first, and once")
    }
  }

  private mutating func open(_ request: OpenRequest) -> FailureMessage? {
    output.limit = request.limits.maxOutputBytes
    if let failure = applyLimits(request.limits) { return failure }
    switch OpenDocument.open(request) {
    case .failure(let failure): return failure.message
    case .success(let opened):
      document = opened
      let description = opened.describe()
      if let failure = sendComplaints(page: nil) { return failure }
      return send(.document(description))
    }
  }

  private mutating func extract(_ request: ExtractRequest, _ document: OpenDocument) -> FailureMessage? {
    var sent: UInt32 = 0
    for index in 0..<document.pageCount {
      beginPage(document.limits)
      let result = document.extractPage(index, imagesBelow: Int(request.imagesBelowScalars))
      if let failure = sendComplaints(page: index) { return failure }
      let failure: FailureMessage?
      switch result {
      case .page(let page):
        sent += 1
        failure = send(.page(page))
      case .unreadable(let reason):
        failure = send(.pageFailure(PageFailure(index: index, message: reason)))
      case .refused(let refusal):
        failure = refusal
      }
      if let failure { return failure }
    }
    guard let file = document.currentIdentity() else {
      return FailureMessage(.notFound, "the file cannot be examined any more")
    }
    return send(.end(EndMessage(pagesSent: sent, warningsDropped: PopplerComplaints.dropped, file: file)))
  }

  private mutating func render(_ request: RenderRequest, _ document: OpenDocument) -> FailureMessage? {
    switch document.render(request) {
    case .success(let image): return send(.image(image))
    case .failure(let failure): return failure.message
    }
  }

  private mutating func sendComplaints(page: UInt32?) -> FailureMessage? {
    for complaint in PopplerComplaints.take() {
      if let failure = send(.warning(WarningMessage(page: page, message: complaint))) { return failure }
    }
    return nil
  }

  private mutating func send(_ reply: ReaderReply) -> FailureMessage? {
    output.send(reply)
      ? nil : FailureMessage(.outputLimit, "more than \(output.limit) bytes of output", number: output.limit)
  }
}

/// A failure as a Swift error, for `Result`.
struct Refusal: Error {
  /// What goes to the parent.
  let message: FailureMessage

  init(_ reason: FailureReason, _ message: String, number: UInt64 = 0) {
    self.message = FailureMessage(reason, message, number: number)
  }
}
