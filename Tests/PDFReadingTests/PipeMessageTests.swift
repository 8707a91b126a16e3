import PDFPipe
import Testing

@Suite struct PipeMessageTests {
  static let replies: [ReaderReply] = [
    .document(
      DocumentMessage(
        file: FileIdentity(device: 1, inode: 2, size: 3, modified: -4), pageCount: 2, title: "Titel ✓", author: nil,
        created: -1, modified: 9, openedWithPassword: true, isRestricted: false, lacksEndMarker: true,
        outline: [
          OutlineMessage(level: 0, title: "Eins", page: 0, y: 12.5),
          OutlineMessage(level: 1, title: "", page: nil, y: nil),
        ])),
    .page(
      PageMessage(
        index: 1, label: "iv", width: 612, height: 792, text: ["a", "ö", "\u{1F600}"],
        boxes: [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0], boxUnit: 0.1,
        fonts: [FontMessage(name: "Helvetica", isBold: true, isItalic: false, isMonospaced: false)],
        runs: [FontRunMessage(start: 0, count: 2, font: 0, size: 12)], imageArea: 0.5)),
    .pageFailure(PageFailure(index: 7, message: "lost")),
    .warning(WarningMessage(page: nil, message: "odd")),
    .failure(FailureMessage(.tooManyPages, "9 pages", number: 9)),
    .image(ImageMessage(width: 3, height: 4, dotsPerInch: 72, png: [0, 255, 13])),
    .end(EndMessage(pagesSent: 2, warningsDropped: 1, file: FileIdentity(device: 1, inode: 2, size: 3, modified: 4))),
  ]

  static let requests: [ReaderRequest] = [
    .open(
      OpenRequest(
        path: [0x2F, 0xFF, 0x0A], passwords: ["", "geheim"],
        limits: ReaderLimits(
          addressSpace: 1, cpuSeconds: 2, pageCPUSeconds: 7, maxPages: 3, maxOutputBytes: 4, maxScalarsPerPage: 5,
          maxPixels: 6))),
    .extract(ExtractRequest(imagesBelowScalars: 200)),
    .render(
      RenderRequest(page: 3, dotsPerInch: 150, highlights: [PipeRectangle(x: 1, y: 2, width: 3, height: 4)])),
  ]

  @Test(arguments: replies) func repliesSurviveTheWire(_ reply: ReaderReply) throws {
    #expect(try ReaderReply(reply.frame) == reply)
  }

  @Test(arguments: requests) func requestsSurviveTheWire(_ request: ReaderRequest) throws {
    #expect(try ReaderRequest(request.frame) == request)
  }

  @Test func bytesAreLittleEndianWithLengthFirst() {
    let frame = ReaderReply.pageFailure(PageFailure(index: 0x0102, message: "ab")).frame
    #expect(frame.encoded == [10, 0, 0, 0, 3, 2, 1, 0, 0, 2, 0, 0, 0, 97, 98])
  }

  @Test func framesAreFound_whateverThePieces() throws {
    let bytes = Self.replies.flatMap { $0.frame.encoded }
    for size in [1, 2, 3, 7, 64, bytes.count] {
      var decoder = FrameDecoder(maxPayload: 1000)
      var found: [ReaderReply] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        decoder.append(bytes[start..<min(start + size, bytes.count)])
        while let frame = try decoder.next() { found.append(try ReaderReply(frame)) }
      }
      #expect(found == Self.replies)
      #expect(!decoder.hasPartialFrame)
    }
  }

  @Test func everyTruncationIsRefused() {
    for reply in Self.replies {
      let frame = reply.frame
      for length in 0..<frame.payload.count {
        #expect(throws: PipeError.self) {
          try ReaderReply(Frame(kind: frame.kind, payload: frame.payload.prefix(length)))
        }
      }
    }
  }

  @Test func surplusBytesAreRefused() {
    for reply in Self.replies {
      let frame = reply.frame
      #expect(throws: PipeError.trailingBytes) {
        try ReaderReply(Frame(kind: frame.kind, payload: frame.payload + [0]))
      }
    }
  }

  @Test func aHugeLengthIsRefused_beforeItsPayloadIsStored() throws {
    var decoder = FrameDecoder(maxPayload: 1 << 20)
    decoder.append([255, 255, 255, 255, 2])
    #expect(throws: PipeError.frameTooLarge(0xFFFF_FFFF)) { try decoder.next() }
  }

  @Test func aHugeCountIsRefused_whenNothingBacksIt() {
    var out = ByteWriter()
    out.write(UInt32(0))
    out.write(false)
    out.write(Float(1))
    out.write(Float(1))
    out.write(UInt32.max)
    #expect(throws: PipeError.truncated) { try ReaderReply(Frame(kind: 2, payload: out.bytes[...])) }
  }

  @Test func anotherVersionIsNamed() {
    var frame = Self.requests[0].frame
    frame.payload[frame.payload.startIndex] = 99
    #expect(throws: PipeError.versionMismatch(99)) { try ReaderRequest(frame) }
  }

  @Test func boxesThatDoNotMatchTheTextAreRefused() {
    guard case .page(var page) = Self.replies[1] else { return }
    page.boxes.removeLast(4)
    #expect(throws: PipeError.invalid("boxes")) { try ReaderReply(ReaderReply.page(page).frame) }
  }

  @Test func fontRunsBeyondTheTextAreRefused() {
    guard case .page(var page) = Self.replies[1] else { return }
    page.runs[0].count = .max
    #expect(throws: PipeError.invalid("font run")) { try ReaderReply(ReaderReply.page(page).frame) }
  }

  /// Every bit of every reply flipped, and random bytes: an error or a message, never a trap.
  @Test func damagedBytesNeverTrap() {
    var decoded = 0
    for reply in Self.replies {
      let bytes = reply.frame.encoded
      for index in bytes.indices {
        for bit in 0..<8 {
          var damaged = bytes
          damaged[index] ^= 1 << bit
          decoded += decodeAll(damaged)
        }
      }
    }
    var generator = SplitMix64(state: 4)
    for _ in 0..<2000 {
      var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      if bytes.count > 5 {
        // A plausible length and kind, so that payloads are reached.
        bytes.replaceSubrange(
          0..<5, with: [UInt8(bytes.count - 5), 0, 0, 0, UInt8.random(in: 0...8, using: &generator)])
      }
      decoded += decodeAll(bytes)
    }
    // Some flips (in a number, in a text) still make a message.
    #expect(decoded > 100)
  }

  private func decodeAll(_ bytes: [UInt8]) -> Int {
    var decoder = FrameDecoder(maxPayload: 1 << 16)
    decoder.append(bytes)
    var count = 0
    do {
      while let frame = try decoder.next() {
        _ = try? ReaderRequest(frame)
        _ = try ReaderReply(frame)
        count += 1
      }
    } catch {}
    return count
  }
}

/// Vigna's SplitMix64, so that the test is the same each time.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}
