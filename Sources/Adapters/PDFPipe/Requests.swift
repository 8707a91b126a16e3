/// What the reader may use. It sets the first three on itself before it opens the file.
public struct ReaderLimits: Equatable, Sendable {
  /// RLIMIT_AS in bytes; 0 leaves it as it is.
  public var addressSpace: UInt64
  /// RLIMIT_CPU in seconds; 0 leaves it as it is.
  public var cpuSeconds: UInt32
  /// Processor time for one page, seconds; 0 for none. A page costs what it draws, not what it shows: a small stream
  /// can show millions of strings on one spot.
  public var pageCPUSeconds: UInt32
  /// Most pages a document may have; one with more is refused whole.
  public var maxPages: UInt32
  /// Most bytes of frames sent for one document.
  public var maxOutputBytes: UInt64
  /// Most Unicode scalars of text on one page.
  public var maxScalarsPerPage: UInt32
  /// Most pixels of a rendered page; a larger one is rendered at a lower resolution.
  public var maxPixels: UInt32

  /// The limits, in the units of the properties.
  public init(
    addressSpace: UInt64, cpuSeconds: UInt32, pageCPUSeconds: UInt32, maxPages: UInt32, maxOutputBytes: UInt64,
    maxScalarsPerPage: UInt32, maxPixels: UInt32
  ) {
    self.addressSpace = addressSpace
    self.cpuSeconds = cpuSeconds
    self.pageCPUSeconds = pageCPUSeconds
    self.maxPages = maxPages
    self.maxOutputBytes = maxOutputBytes
    self.maxScalarsPerPage = maxScalarsPerPage
    self.maxPixels = maxPixels
  }
}

/// The first request: which file, and within which limits.
public struct OpenRequest: Equatable, Sendable {
  /// The path as the file system's bytes, which need not be UTF-8.
  public var path: [UInt8]
  /// User or owner passwords, tried in turn when the document does not open with the empty one.
  public var passwords: [String]
  /// What the reader may use.
  public var limits: ReaderLimits

  /// A request to open the file at `path`.
  public init(path: [UInt8], passwords: [String], limits: ReaderLimits) {
    self.path = path
    self.passwords = passwords
    self.limits = limits
  }
}

/// Asks for every page's text; answered by one ``PageMessage`` or ``PageFailure`` a page, in order, and ``EndMessage``.
public struct ExtractRequest: Equatable, Sendable {
  /// Pages of fewer scalars than this are asked for their images too, which costs a second pass over their content:
  /// it tells a scanned page from an empty one.
  public var imagesBelowScalars: UInt32

  /// A request for all pages.
  public init(imagesBelowScalars: UInt32) { self.imagesBelowScalars = imagesBelowScalars }
}

/// A rectangle in points from the page's top left corner, y downwards, as the page is displayed.
public struct PipeRectangle: Equatable, Sendable {
  /// Left edge.
  public var x: Float
  /// Top edge.
  public var y: Float
  /// Extent to the right.
  public var width: Float
  /// Extent downwards.
  public var height: Float

  /// A rectangle by its top left corner and extent, in points.
  public init(x: Float, y: Float, width: Float, height: Float) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }
}

/// Asks for one page as PNG; answered by one ``ImageMessage``.
public struct RenderRequest: Equatable, Sendable {
  /// 0-based index of the page.
  public var page: UInt32
  /// Pixels an inch wanted, 10–600.
  public var dotsPerInch: Float
  /// Areas to mark, in points.
  public var highlights: [PipeRectangle]

  /// A request to render `page`.
  public init(page: UInt32, dotsPerInch: Float, highlights: [PipeRectangle]) {
    self.page = page
    self.dotsPerInch = dotsPerInch
    self.highlights = highlights
  }
}

/// What the parent says to the reader: one `open`, then any number of the others. Closing the pipe ends the reader,
/// whatever it is doing.
public enum ReaderRequest: Equatable, Sendable {
  case open(OpenRequest)
  case extract(ExtractRequest)
  case render(RenderRequest)

  /// Largest request accepted, in bytes: a path, a password and a page full of rectangles fit many times over.
  public static let maxPayload = 1 << 20

  /// The request as a frame.
  public var frame: Frame {
    var out = ByteWriter()
    let kind: UInt8
    switch self {
    case .open(let request):
      kind = 1
      out.write(pipeVersion)
      out.write(request.path)
      out.write(UInt32(clamping: request.passwords.count))
      for password in request.passwords { out.write(password) }
      out.write(request.limits.addressSpace)
      out.write(request.limits.cpuSeconds)
      out.write(request.limits.pageCPUSeconds)
      out.write(request.limits.maxPages)
      out.write(request.limits.maxOutputBytes)
      out.write(request.limits.maxScalarsPerPage)
      out.write(request.limits.maxPixels)
    case .extract(let request):
      kind = 2
      out.write(request.imagesBelowScalars)
    case .render(let request):
      kind = 3
      out.write(request.page)
      out.write(request.dotsPerInch)
      out.write(UInt32(clamping: request.highlights.count))
      for rectangle in request.highlights { out.write(rectangle) }
    }
    return Frame(kind: kind, payload: out.bytes[...])
  }

  /// Decodes a frame; throws ``PipeError`` on anything but exactly one well-formed request.
  public init(_ frame: Frame) throws(PipeError) {
    var input = ByteReader(frame.payload)
    switch frame.kind {
    case 1:
      let version = try input.read(UInt16.self)
      guard version == pipeVersion else { throw .versionMismatch(version) }
      let path = try input.readBytes()
      let count = try input.readCount(elementSize: 4)
      var passwords: [String] = []
      for _ in 0..<count { passwords.append(try input.readString("password")) }
      let limits = ReaderLimits(
        addressSpace: try input.read(), cpuSeconds: try input.read(), pageCPUSeconds: try input.read(),
        maxPages: try input.read(), maxOutputBytes: try input.read(), maxScalarsPerPage: try input.read(),
        maxPixels: try input.read())
      self = .open(OpenRequest(path: path, passwords: passwords, limits: limits))
    case 2:
      self = .extract(ExtractRequest(imagesBelowScalars: try input.read()))
    case 3:
      let page = try input.read(UInt32.self)
      let dotsPerInch = try input.readFloat("dotsPerInch")
      let count = try input.readCount(elementSize: 16)
      var highlights: [PipeRectangle] = []
      highlights.reserveCapacity(count)
      for _ in 0..<count { highlights.append(try input.readRectangle()) }
      self = .render(RenderRequest(page: page, dotsPerInch: dotsPerInch, highlights: highlights))
    default:
      throw .unknownKind(frame.kind)
    }
    try input.finish()
  }
}

extension ByteWriter {
  mutating func write(_ rectangle: PipeRectangle) {
    write(rectangle.x)
    write(rectangle.y)
    write(rectangle.width)
    write(rectangle.height)
  }
}

extension ByteReader {
  mutating func readRectangle() throws(PipeError) -> PipeRectangle {
    PipeRectangle(
      x: try readFloat("rectangle"), y: try readFloat("rectangle"), width: try readFloat("rectangle"),
      height: try readFloat("rectangle"))
  }
}
