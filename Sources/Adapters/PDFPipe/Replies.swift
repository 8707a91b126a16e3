/// Why the reader gave up on a document. The raw values go over the wire: add, never renumber.
public enum FailureReason: UInt8, CaseIterable, Sendable {
  /// The request is malformed or out of order.
  case badRequest = 1
  /// Parent and reader were built from different versions.
  case versionMismatch = 2
  /// No file of that name (any more).
  case notFound = 3
  /// The file system refuses to open it.
  case notReadable = 4
  /// A directory.
  case isDirectory = 5
  /// A pipe, socket or device.
  case notRegularFile = 6
  /// No byte in it.
  case emptyFile = 7
  /// Its first kilobyte holds no PDF header.
  case notAPDF = 8
  /// Needs a password, and none was given.
  case encrypted = 9
  /// Needs a password, and not the one given.
  case wrongPassword = 10
  /// So broken that no page tree could be made out.
  case damaged = 11
  /// The page tree has no page.
  case noPages = 12
  /// More pages than the limit.
  case tooManyPages = 13
  /// More output than the limit.
  case outputLimit = 14
  /// More text on a page than the limit.
  case pageTextLimit = 15
  /// Memory ran out within the address-space limit.
  case memoryLimit = 16
  /// The page asked for does not exist or cannot be loaded.
  case noSuchPage = 17
  /// The page could not be drawn.
  case renderFailed = 18
  /// A limit could not be set, so the file was not opened.
  case limitsNotSet = 19
}

/// The reader gave up; nothing follows.
public struct FailureMessage: Equatable, Sendable {
  /// The stable reason.
  public var reason: FailureReason
  /// What was found, for people; may quote Poppler or the operating system.
  public var message: String
  /// The number that the reason is about: pages found, page index, errno; else 0.
  public var number: UInt64

  /// A failure with its reason.
  public init(_ reason: FailureReason, _ message: String, number: UInt64 = 0) {
    self.reason = reason
    self.message = message
    self.number = number
  }
}

/// A page that the page tree counts but that cannot be loaded.
public struct PageFailure: Equatable, Sendable {
  /// 0-based index.
  public var index: UInt32
  /// What went wrong.
  public var message: String

  /// A page without text, and why.
  public init(index: UInt32, message: String) {
    self.index = index
    self.message = message
  }
}

/// Something that Poppler complained about and went on.
public struct WarningMessage: Equatable, Sendable {
  /// 0-based page that was being read; nil while the document was opened.
  public var page: UInt32?
  /// The complaint, shortened.
  public var message: String

  /// A complaint.
  public init(page: UInt32?, message: String) {
    self.page = page
    self.message = message
  }
}

/// A page's image.
public struct ImageMessage: Equatable, Sendable {
  /// Width in pixels.
  public var width: UInt32
  /// Height in pixels.
  public var height: UInt32
  /// Resolution used: lower than asked for if the pixel limit demanded it.
  public var dotsPerInch: Float
  /// A PNG file.
  public var png: [UInt8]

  /// An image and its size.
  public init(width: UInt32, height: UInt32, dotsPerInch: Float, png: [UInt8]) {
    self.width = width
    self.height = height
    self.dotsPerInch = dotsPerInch
    self.png = png
  }
}

/// All pages were sent.
public struct EndMessage: Equatable, Sendable {
  /// ``PageMessage``s sent.
  public var pagesSent: UInt32
  /// Complaints beyond the first ones, which were dropped.
  public var warningsDropped: UInt32
  /// The open file, asked again after the last page.
  public var file: FileIdentity

  /// The end of an extraction.
  public init(pagesSent: UInt32, warningsDropped: UInt32, file: FileIdentity) {
    self.pagesSent = pagesSent
    self.warningsDropped = warningsDropped
    self.file = file
  }
}

/// What the reader says to its parent.
public enum ReaderReply: Equatable, Sendable {
  case document(DocumentMessage)
  case page(PageMessage)
  case pageFailure(PageFailure)
  case warning(WarningMessage)
  case failure(FailureMessage)
  case image(ImageMessage)
  case end(EndMessage)

  /// The reply as a frame.
  public var frame: Frame {
    var out = ByteWriter(capacity: 256)
    let kind: UInt8
    switch self {
    case .document(let message):
      kind = 1
      message.write(to: &out)
    case .page(let message):
      kind = 2
      out = ByteWriter(capacity: 256 + 12 * message.text.count + 14 * message.runs.count)
      message.write(to: &out)
    case .pageFailure(let message):
      kind = 3
      out.write(message.index)
      out.write(message.message)
    case .warning(let message):
      kind = 4
      out.write(optional: message.page) { $0.write($1) }
      out.write(message.message)
    case .failure(let message):
      kind = 5
      out.write(message.reason.rawValue)
      out.write(message.message)
      out.write(message.number)
    case .image(let message):
      kind = 6
      out = ByteWriter(capacity: 64 + message.png.count)
      out.write(message.width)
      out.write(message.height)
      out.write(message.dotsPerInch)
      out.write(message.png)
    case .end(let message):
      kind = 7
      out.write(message.pagesSent)
      out.write(message.warningsDropped)
      message.file.write(to: &out)
    }
    return Frame(kind: kind, payload: out.bytes[...])
  }

  /// Decodes a frame; throws ``PipeError`` on anything but exactly one well-formed reply.
  public init(_ frame: Frame) throws(PipeError) {
    var input = ByteReader(frame.payload)
    switch frame.kind {
    case 1: self = .document(try DocumentMessage(from: &input))
    case 2: self = .page(try PageMessage(from: &input))
    case 3: self = .pageFailure(PageFailure(index: try input.read(), message: try input.readString("message")))
    case 4:
      let page = try input.readOptional("page") { (input: inout ByteReader) throws(PipeError) in
        try input.read(UInt32.self)
      }
      self = .warning(WarningMessage(page: page, message: try input.readString("message")))
    case 5:
      guard let reason = FailureReason(rawValue: try input.read()) else { throw .invalid("reason") }
      let message = try input.readString("message")
      self = .failure(FailureMessage(reason, message, number: try input.read()))
    case 6:
      self = .image(
        ImageMessage(
          width: try input.read(), height: try input.read(), dotsPerInch: try input.readFloat("dotsPerInch"),
          png: try input.readBytes()))
    case 7:
      self = .end(
        EndMessage(
          pagesSent: try input.read(), warningsDropped: try input.read(), file: try FileIdentity(from: &input)))
    default:
      throw .unknownKind(frame.kind)
    }
    try input.finish()
  }
}
