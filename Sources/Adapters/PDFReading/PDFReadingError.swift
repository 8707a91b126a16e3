public import Core
import Glibc
import PDFPipe

/// Why a document or a page could not be had.
public struct PDFReadingError: CategorizedError {
  /// The kinds of failure; the raw values are stable.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// No file at the path, or not any more.
    case vanished = "pdf.vanished"
    /// The file was replaced or written to while it was read.
    case changedWhileReading = "pdf.changed_while_reading"
    /// The file system refuses to open it.
    case notReadable = "pdf.not_readable"
    /// A directory.
    case isDirectory = "pdf.is_directory"
    /// A pipe, socket or device.
    case notRegularFile = "pdf.not_a_regular_file"
    /// No byte in it.
    case emptyFile = "pdf.empty_file"
    /// Another kind of file under a PDF's name.
    case notAPDF = "pdf.not_a_pdf"
    /// Needs a password, and none is configured.
    case encrypted = "pdf.encrypted"
    /// Needs a password, and none of the configured ones.
    case wrongPassword = "pdf.wrong_password"
    /// Too broken to find its pages.
    case damaged = "pdf.damaged"
    /// Its page tree has no page.
    case noPages = "pdf.no_pages"
    /// More pages than the limit.
    case tooManyPages = "pdf.too_many_pages"
    /// More output, or more text on one page, than the limit.
    case outputLimit = "pdf.output_limit"
    /// Memory ran out within the limit.
    case memoryLimit = "pdf.memory_limit"
    /// Processor time ran out.
    case cpuLimit = "pdf.cpu_limit"
    /// Processor time for one page ran out.
    case pageCPULimit = "pdf.page_cpu_limit"
    /// Time ran out.
    case timeLimit = "pdf.time_limit"
    /// The reader process ended before its time.
    case readerCrashed = "pdf.reader_crashed"
    /// The reader program is not installed.
    case readerMissing = "pdf.reader_missing"
    /// The reader program could not be run, or is of another version.
    case readerUnusable = "pdf.reader_unusable"
    /// No such page.
    case noSuchPage = "pdf.no_such_page"
    /// The page could not be drawn.
    case renderFailed = "pdf.render_failed"
    /// The command that reads text from images is not installed.
    case recognizerMissing = "ocr.command_missing"
    /// The command cannot be started, or fails on an image without text: its arguments or its language are wrong.
    case recognizerUnusable = "ocr.command_unusable"
    /// The command failed on an image.
    case recognitionFailed = "ocr.failed"
    /// The command's output is not what Quarry reads.
    case recognitionUnreadable = "ocr.unreadable_output"
    /// The command took more wall time for a page than the limit.
    case recognitionTimeLimit = "ocr.time_limit"
    /// The command took more processor time for a page than the limit.
    case recognitionCPULimit = "ocr.cpu_limit"
    /// The command needs more memory for a page than the limit.
    case recognitionMemoryLimit = "ocr.memory_limit"
    /// The command wrote more for a page than the limit.
    case recognitionOutputLimit = "ocr.output_limit"
  }

  /// The kind of failure.
  public let kind: Code
  /// What happened, naming the file.
  public let message: String
  /// What to do about it.
  public let remedy: String?
  /// The error beneath.
  public let underlying: (any Error)?

  /// The stable dotted code.
  public var code: String { kind.rawValue }

  /// The kind of failure, for those who do not know this module.
  public var category: ErrorCategory {
    switch kind {
    case .vanished, .noSuchPage: .notFound
    case .changedWhileReading: .conflict
    case .notReadable: .forbidden
    case .isDirectory, .notRegularFile, .emptyFile, .notAPDF, .encrypted, .wrongPassword, .damaged, .noPages,
      .renderFailed, .readerCrashed, .recognitionFailed, .recognitionUnreadable:
      .invalidInput
    case .tooManyPages, .outputLimit, .memoryLimit, .cpuLimit, .pageCPULimit, .timeLimit, .recognitionTimeLimit,
      .recognitionCPULimit, .recognitionMemoryLimit, .recognitionOutputLimit:
      .tooLarge
    case .readerMissing, .readerUnusable, .recognizerMissing, .recognizerUnusable: .invalidConfiguration
    }
  }

  init(_ kind: Code, _ message: String, remedy: String?, underlying: (any Error)? = nil) {
    self.kind = kind
    self.message = message
    self.remedy = remedy
    self.underlying = underlying
  }
}

extension PDFReadingError {
  /// The reader's own account of its failure, with the file's name and a remedy.
  init(_ failure: FailureMessage, name: String, limits: PDFLimits) {
    let detail = failure.message
    switch failure.reason {
    case .notFound:
      self = .vanished(name)
    case .notReadable:
      self.init(
        .notReadable, "'\(name)' cannot be opened: \(detail)",
        remedy: "Give the user that runs Quarry the right to read it.")
    case .isDirectory:
      self.init(
        .isDirectory, "'\(name)' is a directory", remedy: "Name the PDF files in it, or rename the directory.")
    case .notRegularFile:
      self.init(.notRegularFile, "'\(name)' is \(detail)", remedy: "Copy its content to an ordinary file.")
    case .emptyFile:
      self.init(
        .emptyFile, "'\(name)' is an empty file", remedy: "Copy it again; a download or an upload probably failed.")
    case .notAPDF:
      self.init(
        .notAPDF, "'\(name)' is not a PDF but \(detail)",
        remedy: "Convert it to PDF, or leave it out by an exclude pattern.")
    case .encrypted:
      self.init(
        .encrypted, "'\(name)' is encrypted and needs a password",
        remedy: "Add its password to pdf.passwords, or store an unprotected copy.")
    case .wrongPassword:
      self.init(
        .wrongPassword, "'\(name)' is encrypted: \(detail)",
        remedy: "Correct its password in pdf.passwords.")
    case .damaged:
      self.init(
        .damaged, "'\(name)' is damaged: \(detail)",
        remedy: "Copy it again, or repair it (for instance by printing it to a new PDF).")
    case .noPages:
      self.init(.noPages, "'\(name)' has no pages", remedy: "Copy it again, or make it anew.")
    case .tooManyPages:
      self.init(
        .tooManyPages, "'\(name)' has \(failure.number) pages, more than the \(limits.maxPages) allowed",
        remedy: "Split it, or raise pdf.maxPages.")
    case .outputLimit:
      self.init(
        .outputLimit, "'\(name)' gives more than \(limits.maxOutputBytes) bytes of text and geometry",
        remedy: "Split it, or raise pdf.outputBytes.")
    case .pageTextLimit:
      self.init(
        .outputLimit, "'\(name)': \(detail)",
        remedy: "It may be made to exhaust memory. If you trust it, raise pdf.pageCharacters.")
    case .memoryLimit:
      self = .memoryLimit(name, limits)
    case .noSuchPage:
      self.init(.noSuchPage, "'\(name)' has no such page: \(detail)", remedy: "Ask for a page of the document.")
    case .renderFailed:
      self.init(.renderFailed, "a page of '\(name)' cannot be drawn: \(detail)", remedy: nil)
    case .badRequest, .versionMismatch, .limitsNotSet:
      self.init(
        .readerUnusable, "quarry-pdf-reader refused to read '\(name)': \(detail)",
        remedy: "Install quarry and quarry-pdf-reader of one build.")
    }
  }

  static func vanished(_ name: String) -> PDFReadingError {
    PDFReadingError(
      .vanished, "'\(name)' is not there (any more)",
      remedy: "Nothing needs to be done if it was deleted or moved; otherwise check the path.")
  }

  static func changed(_ name: String) -> PDFReadingError {
    PDFReadingError(
      .changedWhileReading, "'\(name)' changed while it was read",
      remedy: "Ingest it again when nothing writes to it any more; write to another name and rename it when complete.")
  }

  static func memoryLimit(_ name: String, _ limits: PDFLimits) -> PDFReadingError {
    PDFReadingError(
      .memoryLimit, "'\(name)' needs more than the \(limits.addressSpaceBytes >> 20) MiB of memory allowed",
      remedy: "It may be made to exhaust memory. If you trust it, raise pdf.memory.")
  }

  static func outputLimit(_ name: String, _ limits: PDFLimits) -> PDFReadingError {
    PDFReadingError(
      FailureMessage(.outputLimit, "", number: UInt64(limits.maxOutputBytes)), name: name, limits: limits)
  }

  static func timeLimit(_ name: String, _ limits: PDFLimits) -> PDFReadingError {
    PDFReadingError(
      .timeLimit, "'\(name)' took more than the \(limits.wallTime.components.seconds) s allowed",
      remedy: "It may be made to never end. If you trust it, raise pdf.wallTime.")
  }

  static func crashed(_ name: String, _ how: String, underlying: (any Error)? = nil) -> PDFReadingError {
    PDFReadingError(
      .readerCrashed, "the reader of '\(name)' \(how)",
      remedy: "The file is probably damaged or hostile: make it anew, or leave it out.", underlying: underlying)
  }
}
