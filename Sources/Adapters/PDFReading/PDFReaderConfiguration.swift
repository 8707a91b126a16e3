import Glibc

/// What reading one document may cost. A breach ends that document, never the service.
public struct PDFLimits: Sendable, Hashable {
  /// Virtual memory of the reader process, bytes; 0 for none (sanitizers need that).
  public var addressSpaceBytes: Int
  /// Processor time, seconds; 0 for none.
  public var cpuSeconds: Int
  /// Processor time for one page, whole seconds (up to one more passes before it is noticed); 0 for none.
  public var pageCPUSeconds: Int
  /// Time that the parent waits for the reader in sum, not counting the time that pages wait for their consumer.
  public var wallTime: Duration
  /// Most pages; a document with more is refused whole.
  public var maxPages: Int
  /// Most bytes that the reader may send for one document.
  public var maxOutputBytes: Int
  /// Most Unicode scalars on one page.
  public var maxScalarsPerPage: Int
  /// Most pixels of a page image; a larger one is drawn at a lower resolution.
  public var maxImagePixels: Int

  /// Limits that real documents do not reach.
  public init(
    addressSpaceBytes: Int = 2 << 30, cpuSeconds: Int = 120, pageCPUSeconds: Int = 10,
    wallTime: Duration = .seconds(300), maxPages: Int = 5_000, maxOutputBytes: Int = 512 << 20,
    maxScalarsPerPage: Int = 500_000, maxImagePixels: Int = 20_000_000
  ) {
    self.addressSpaceBytes = addressSpaceBytes
    self.cpuSeconds = cpuSeconds
    self.pageCPUSeconds = pageCPUSeconds
    self.wallTime = wallTime
    self.maxPages = maxPages
    self.maxOutputBytes = maxOutputBytes
    self.maxScalarsPerPage = maxScalarsPerPage
    self.maxImagePixels = maxImagePixels
  }
}

/// Where the reader program is, and its limits.
public struct PDFReaderConfiguration: Sendable, Hashable {
  /// Path of `quarry-pdf-reader`; nil looks beside the running program.
  public var readerPath: String?
  /// Limits on each document.
  public var limits: PDFLimits
  /// Pages with fewer scalars than this are asked for their images, which tells a scan from an empty page.
  public var imagesBelowScalars: Int
  /// Page images drawn at once.
  public var maxConcurrentRenders: Int

  /// A configuration with the defaults of ``PDFLimits``.
  public init(
    readerPath: String? = nil, limits: PDFLimits = PDFLimits(), imagesBelowScalars: Int = 200,
    maxConcurrentRenders: Int = 2
  ) {
    self.readerPath = readerPath
    self.limits = limits
    self.imagesBelowScalars = imagesBelowScalars
    self.maxConcurrentRenders = maxConcurrentRenders
  }

  /// The program to run.
  /// - Throws: `pdf.reader_missing`.
  public func locateReader() throws(PDFReadingError) -> String {
    let path = readerPath ?? besideThisProgram("quarry-pdf-reader")
    guard let path, access(path, X_OK) == 0 else {
      throw PDFReadingError(
        .readerMissing, "there is no program '\(path ?? "quarry-pdf-reader")', which reads PDFs",
        remedy: "Install quarry-pdf-reader beside quarry (make install does), or set pdf.reader to its path.")
    }
    return path
  }
}

private func besideThisProgram(_ name: String) -> String? {
  let capacity = Int(PATH_MAX)
  let bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
    count = buffer.withMemoryRebound(to: CChar.self) { max(0, readlink("/proc/self/exe", $0.baseAddress!, capacity)) }
  }
  let path = String(decoding: bytes, as: UTF8.self)
  guard let slash = path.lastIndex(of: "/") else { return nil }
  return path[...slash] + name
}
