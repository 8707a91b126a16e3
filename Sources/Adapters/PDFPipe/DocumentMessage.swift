/// Which file was opened, so that the parent sees a file that was replaced or written to meanwhile.
public struct FileIdentity: Equatable, Sendable {
  /// `st_dev`.
  public var device: UInt64
  /// `st_ino`.
  public var inode: UInt64
  /// Bytes.
  public var size: UInt64
  /// `st_mtim` in nanoseconds since 1970.
  public var modified: Int64

  /// The four fields of `stat(2)` that change when a file is replaced or written to.
  public init(device: UInt64, inode: UInt64, size: UInt64, modified: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
  }
}

/// One entry of the document's outline (bookmarks), in reading order.
public struct OutlineMessage: Equatable, Sendable {
  /// 0 for the topmost entries.
  public var level: UInt8
  /// What the entry says.
  public var title: String
  /// 0-based page that it leads to, if to one of this document.
  public var page: UInt32?
  /// Points from the displayed page's top edge, where the destination says so.
  public var y: Float?

  /// An entry of the outline.
  public init(level: UInt8, title: String, page: UInt32?, y: Float?) {
    self.level = level
    self.title = title
    self.page = page
    self.y = y
  }
}

/// The answer to `open`: what the document says of itself.
public struct DocumentMessage: Equatable, Sendable {
  /// The file as it was opened.
  public var file: FileIdentity
  /// Pages of the page tree.
  public var pageCount: UInt32
  /// Title of the information dictionary.
  public var title: String?
  /// Author of the information dictionary.
  public var author: String?
  /// Creation date, in seconds since 1970.
  public var created: Int64?
  /// Modification date, in seconds since 1970.
  public var modified: Int64?
  /// Whether the password of the request was what opened it.
  public var openedWithPassword: Bool
  /// Whether an owner password forbids some uses. Reading text is not refused on that ground.
  public var isRestricted: Bool
  /// Whether the file lacks its end marker, so that its cross-reference table had to be rebuilt: it was probably cut.
  public var lacksEndMarker: Bool
  /// The outline, flattened.
  public var outline: [OutlineMessage]

  /// All that a document says of itself.
  public init(
    file: FileIdentity, pageCount: UInt32, title: String?, author: String?, created: Int64?, modified: Int64?,
    openedWithPassword: Bool, isRestricted: Bool, lacksEndMarker: Bool, outline: [OutlineMessage]
  ) {
    self.file = file
    self.pageCount = pageCount
    self.title = title
    self.author = author
    self.created = created
    self.modified = modified
    self.openedWithPassword = openedWithPassword
    self.isRestricted = isRestricted
    self.lacksEndMarker = lacksEndMarker
    self.outline = outline
  }

  func write(to out: inout ByteWriter) {
    out.write(pipeVersion)
    file.write(to: &out)
    out.write(pageCount)
    out.write(optional: title) { $0.write($1) }
    out.write(optional: author) { $0.write($1) }
    out.write(optional: created) { $0.write($1) }
    out.write(optional: modified) { $0.write($1) }
    out.write(openedWithPassword)
    out.write(isRestricted)
    out.write(lacksEndMarker)
    out.write(UInt32(clamping: outline.count))
    for entry in outline {
      out.write(entry.level)
      out.write(entry.title)
      out.write(optional: entry.page) { $0.write($1) }
      out.write(optional: entry.y) { $0.write($1) }
    }
  }

  init(from input: inout ByteReader) throws(PipeError) {
    let version = try input.read(UInt16.self)
    guard version == pipeVersion else { throw .versionMismatch(version) }
    file = try FileIdentity(from: &input)
    pageCount = try input.read()
    title = try input.readOptional("title") { (input: inout ByteReader) throws(PipeError) in
      try input.readString("title")
    }
    author = try input.readOptional("author") { (input: inout ByteReader) throws(PipeError) in
      try input.readString("author")
    }
    created = try input.readOptional("created") { (input: inout ByteReader) throws(PipeError) in
      try input.read(Int64.self)
    }
    modified = try input.readOptional("modified") { (input: inout ByteReader) throws(PipeError) in
      try input.read(Int64.self)
    }
    openedWithPassword = try input.readBool("openedWithPassword")
    isRestricted = try input.readBool("isRestricted")
    lacksEndMarker = try input.readBool("lacksEndMarker")
    let count = try input.readCount(elementSize: 7)
    outline = []
    outline.reserveCapacity(count)
    for _ in 0..<count {
      outline.append(
        OutlineMessage(
          level: try input.read(), title: try input.readString("outline title"),
          page: try input.readOptional("outline page") { (input: inout ByteReader) throws(PipeError) in
            try input.read(UInt32.self)
          },
          y: try input.readOptional("outline y") { (input: inout ByteReader) throws(PipeError) in
            try input.readFloat("outline y")
          }))
    }
  }
}

extension FileIdentity {
  func write(to out: inout ByteWriter) {
    out.write(device)
    out.write(inode)
    out.write(size)
    out.write(modified)
  }

  init(from input: inout ByteReader) throws(PipeError) {
    device = try input.read()
    inode = try input.read()
    size = try input.read()
    modified = try input.read()
  }
}
