public import Core
import ChildProcess
import FoundationEssentials
import Glibc
import PDFPipe

/// Reads PDFs with Poppler, each in a `quarry-pdf-reader` process of its own.
///
/// Boxes are in points of the page as displayed (crop box, rotation applied), from the top left corner. Pages stream:
/// while nobody takes them, the reader process waits, and when nobody holds the stream any more, it is ended.
public struct PDFPageReader: PageReader {
  private let configuration: PDFReaderConfiguration
  /// The extractor: the layout of the messages and Poppler's version, both of which bear on the text.
  public let version: String

  /// A reader; `popplerVersion` comes from ``popplerVersion(configuration:)``.
  public init(configuration: PDFReaderConfiguration = PDFReaderConfiguration(), popplerVersion: String) {
    self.configuration = configuration
    version = "pdf-reader-\(pipeVersion)/poppler-\(popplerVersion)"
  }

  /// Asks the reader program for the version of its Poppler, such as `22.12.0`.
  /// - Throws: `pdf.reader_missing`, or `pdf.reader_unusable` if it is of another build.
  public static func popplerVersion(
    configuration: PDFReaderConfiguration = PDFReaderConfiguration()
  ) async throws -> String {
    let program = try configuration.locateReader()
    let said: String
    do {
      let run = try await ChildProcess.run(
        executable: program, arguments: ["--version"], deadline: .now + .seconds(10), outputLimit: 4096)
      said = String(decoding: run.output, as: UTF8.self)
    } catch let error as ChildProcessError {
      throw PDFReadingError(.readerUnusable, "'\(program)' cannot be run", remedy: error.remedy, underlying: error)
    }
    let words = said.split(whereSeparator: \.isWhitespace)
    guard words.count == 5, words[0] == "quarry-pdf-reader", words[2] == "\(pipeVersion)" else {
      throw PDFReadingError(
        .readerUnusable, "'\(program)' is not the quarry-pdf-reader of this build",
        remedy: "Install quarry and quarry-pdf-reader of one build.")
    }
    return String(words[4])
  }

  /// Opens a document.
  /// - Throws: ``PDFReadingError``; reading pages may throw it too. `CancellationError`.
  public func open(path: String, name: String, passwords: [String]) async throws -> DocumentReading {
    let conversation = try ReaderConversation(configuration: configuration, name: name)
    let description = try await conversation.open(path: path, passwords: passwords, limits: configuration.limits)
    try await conversation.send(
      .extract(ExtractRequest(imagesBelowScalars: UInt32(clamping: configuration.imagesBelowScalars))))
    let pages = PageSequence(
      conversation: conversation, path: path, name: name, file: description.file, pageCount: description.pageCount)
    return DocumentReading(
      document: ExtractedDocument(description), pages: AsyncThrowingStream { try await pages.next() })
  }
}

extension ReaderConversation {
  /// Sends `open` and waits for the document's description.
  func open(path: String, passwords: [String], limits: PDFLimits) async throws -> DocumentMessage {
    try await send(
      .open(OpenRequest(path: Array(path.utf8), passwords: passwords, limits: ReaderLimits(limits))))
    while true {
      switch try await nextReply() {
      case .document(let description):
        guard description.pageCount > 0, description.pageCount <= UInt32(clamping: limits.maxPages) else {
          throw misbehaved("reported \(description.pageCount) pages")
        }
        return description
      case .warning: continue
      default: throw misbehaved("did not answer with a description")
      }
    }
  }
}

/// The pages of one document as they come off the pipe, checked for order and number.
private actor PageSequence {
  private let conversation: ReaderConversation
  private let path: String
  private let name: String
  private let file: FileIdentity
  private let pageCount: UInt32
  private var nextIndex: UInt32 = 0
  private var delivered: UInt32 = 0
  private var hasEnded = false

  init(conversation: ReaderConversation, path: String, name: String, file: FileIdentity, pageCount: UInt32) {
    self.conversation = conversation
    self.path = path
    self.name = name
    self.file = file
    self.pageCount = pageCount
  }

  /// The next page that could be read; nil after the last one. A page that could not be read is left out: its number
  /// is missing.
  func next() async throws -> ExtractedPage? {
    guard !hasEnded else { return nil }
    var warnings: [String] = []
    while true {
      switch try await conversation.nextReply() {
      case .warning(let warning):
        warnings.append(warning.message)
      case .page(let page):
        guard page.index == nextIndex, nextIndex < pageCount else {
          throw await conversation.misbehaved("sent page \(page.index + 1) out of order")
        }
        nextIndex += 1
        delivered += 1
        return ExtractedPage(page, warnings: warnings)
      case .pageFailure(let failure):
        guard failure.index == nextIndex, nextIndex < pageCount else {
          throw await conversation.misbehaved("sent page \(failure.index + 1) out of order")
        }
        nextIndex += 1
        warnings = []
      case .end(let end):
        hasEnded = true
        guard nextIndex == pageCount, end.pagesSent == delivered else {
          throw await conversation.misbehaved("sent \(delivered) pages and says that it sent \(end.pagesSent)")
        }
        guard end.file == file else { throw PDFReadingError.changed(name) }
        try checkPath()
        return nil
      case .document, .image, .failure:
        throw await conversation.misbehaved("sent a message out of order")
      }
    }
  }

  /// The open file did not change; here, whether the path still leads to it.
  private func checkPath() throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw PDFReadingError.vanished(name) }
    guard UInt64(status.st_ino) == file.inode, UInt64(status.st_dev) == file.device else {
      throw PDFReadingError.changed(name)
    }
  }
}
