import Concurrency
import Core
import HTTPAPI
import QuarryTesting
import Telemetry
import Testing

@Suite struct DocumentRouteTests {
  private static let id = Library.pump.document.id

  @Test func listsEverything_pageByPage() async throws {
    try await withAPI { api in
      var names: [String] = []
      var cursor: String?
      var answers = 0
      repeat {
        let reply = try await api.send("GET", "/v1/documents?limit=1" + (cursor.map { "&cursor=\($0)" } ?? ""))
        #expect(reply.status == 200)
        names += reply.json["documents"]?.elements.compactMap { $0["name"]?.text } ?? []
        cursor = reply.json["next_cursor"]?.text
        answers += 1
      } while cursor != nil && answers < 10
      #expect(names.sorted() == ["pump.pdf", "secret.pdf", "valve.pdf"])
      #expect(answers == 3)
    }
  }

  @Test func listsOneCollectionOrState() async throws {
    try await withAPI { api in
      let board = try await api.send("GET", "/v1/documents?collection=board").json["documents"]?.elements
      #expect(board?.count == 1)
      let nowhere = try await api.send("GET", "/v1/documents?collection=nowhere").json["documents"]?.elements
      #expect(nowhere?.isEmpty == true)
      let failed = try await api.send("GET", "/v1/documents?state=failed").json["documents"]?.elements
      #expect(failed?.isEmpty == true)
      let ready = try await api.send("GET", "/v1/documents?state=ready").json["documents"]?.elements
      #expect(ready?.count == 3)
    }
  }

  @Test(arguments: [
    "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=%2B1", "state=done", "cursor=", "collection=A%20B",
  ])
  func refusesParameters_outOfTheirRange(query: String) async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", "/v1/documents?\(query)")
      #expect(reply.status == 400)
      #expect(reply.json["field"]?.text == String(query.prefix { $0 != "=" }))
    }
  }

  @Test func showsADocument_withTheCoverageOfItsPages() async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", "/v1/documents/\(Self.id)")
      #expect(reply.json["document"]?["title"]?.text == "Pump")
      #expect(reply.json["pages"]?.elements.count == 2)
      #expect(reply.json["pages"]?.elements.first?["coverage"]?.text == "text")
    }
  }

  @Test(arguments: ["x", "00000000000000000000000000000000", "%00", "a%2Fb", "..%2F..%2Fetc%2Fpasswd"])
  func isNotFound_whenThereIsNoSuchDocument(id: String) async throws {
    try await withAPI { api in
      for (method, rest) in [("GET", ""), ("DELETE", ""), ("GET", "/pages/1"), ("GET", "/pages/1.png")] {
        let reply = try await api.send(method, "/v1/documents/\(id)\(rest)")
        #expect(reply.status == 404)
        #expect(reply.code == "document.not_found")
      }
    }
  }

  @Test func deletesForGood_leavingATombstone() async throws {
    try await withAPI { api in
      let document = Library.pump.document
      let deleted = try await api.send("DELETE", "/v1/documents/\(Self.id)")
      #expect(deleted.status == 204)
      #expect(deleted.body.isEmpty)
      let again = try await api.send("DELETE", "/v1/documents/\(Self.id)")
      #expect(again.status == 404)
      let source = try await api.index.source(at: document.uri, collection: document.collection)
      #expect(source?.isTombstone == true)
      await api.server.shutdown()
      api.recorder.finish()
      try await eventually { api.events.all.count == Library.pump.chunks.count }
      #expect(api.events.all.allSatisfy { $0.payload.kind == .tombstone && $0.collection == .default })
    }
  }
}

@Suite struct PageRouteTests {
  private static let document = Library.pump.document
  private static let base = "/v1/documents/\(document.id)/pages/1"
  private static let other = String(repeating: "0", count: 64)

  @Test func showsTextAndBoxes() async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", Self.base + "?version=\(Self.document.version)")
      let text = reply.json["text"]?.text ?? ""
      #expect(text == "The pump moves water from the lower basin.")
      let boxes = reply.json["boxes"]?.elements ?? []
      #expect(boxes.count == text.unicodeScalars.count)
      #expect(boxes.first == .array([.number(72), .number(72), .number(78), .number(82)]))
      #expect(boxes.dropFirst(3).first == .null)
    }
  }

  @Test(arguments: ["0", "-1", "abc", "1.5", "99999999999999999999", "2147483648", "%31x"])
  func refusesPages_thatAreNoNumber(page: String) async throws {
    try await withAPI { api in
      for suffix in ["", ".png"] {
        let reply = try await api.send("GET", "/v1/documents/\(Self.document.id)/pages/\(page)\(suffix)")
        #expect(reply.status == 400)
        #expect(reply.json["field"]?.text == "page")
      }
    }
  }

  @Test func isNotFound_whenThereIsNoSuchPage() async throws {
    try await withAPI { api in
      for suffix in ["", ".png"] {
        let reply = try await api.send("GET", "/v1/documents/\(Self.document.id)/pages/3\(suffix)")
        #expect(reply.status == 404)
        #expect(reply.code == "page.not_found")
      }
    }
  }

  @Test func isGone_whenAnotherVersionIsCited() async throws {
    try await withAPI { api in
      let text = try await api.send("GET", Self.base + "?version=\(Self.other)")
      #expect(text.status == 410)
      let marked = try await api.send("GET", Self.base + ".png?start=0&end=3&version=\(Self.other)")
      #expect(marked.status == 410)
      #expect(marked.code == "page.version_gone")
    }
  }

  @Test func drawsTheCitedVersion_whileItsBytesAreThere() async throws {
    try await withAPI { api in
      let old = ContentVersion(rawValue: Self.other)
      let reply = try await api.send("GET", Self.base + ".png?version=\(Self.other)")
      #expect(reply.status == 200)
      #expect(api.renderer.calls.withLock { $0.map(\.path) } == ["/originals/\(old)"])
      api.originals.missing.withLock { $0 = [old] }
      let gone = try await api.send("GET", Self.base + ".png?version=\(Self.other)")
      #expect(gone.status == 410)
    }
  }

  @Test func drawsThePage_withItsQuoteMarked() async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", Self.base + ".png?dpi=150&quote=PUMP%20%20moves")
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "image/png")
      #expect(reply.body == [0x89, 0x50, 0x4E, 0x47])
      let calls = api.renderer.calls.withLock { $0 }
      #expect(calls.map(\.dotsPerInch) == [150])
      // Scalars 4 to 13 stand from 72 + 4 × 6 to 72 + 14 × 6 points.
      #expect(calls.first?.highlights == [Box(left: 96, top: 72, right: 156, bottom: 82)])
      _ = try await api.send("GET", Self.base + ".png?start=4&end=14")
      #expect(api.renderer.calls.withLock { $0.last?.highlights } == calls.first?.highlights)
    }
  }

  @Test(arguments: [
    ("dpi=35", 400), ("dpi=301", 400), ("dpi=x", 400), ("quote=", 400), ("quote=%20", 400), ("start=1", 400),
    ("end=1", 400), ("start=2&end=2", 400), ("start=0&end=9999", 400), ("quote=a&start=0&end=1", 400),
    ("version=x", 400), ("quote=never%20written", 404),
  ])
  func refusesPlaces_thatMakeNoSense(query: String, status: Int) async throws {
    try await withAPI { api in
      let reply = try await api.send("GET", Self.base + ".png?\(query)")
      #expect(reply.status == status)
      #expect(reply.json["field"] != nil)
      #expect(api.renderer.calls.withLock { $0.isEmpty })
    }
  }

  @Test func isCached_forGoodWhenTheAddressNamesTheVersion() async throws {
    try await withAPI { api in
      let named = try await api.send("GET", Self.base + ".png?version=\(Self.document.version)")
      #expect(named.headers["cache-control"] == "private, max-age=31536000, immutable")
      let unnamed = try await api.send("GET", Self.base + ".png")
      #expect(unnamed.headers["cache-control"] == "private, no-cache")
      let tag = unnamed.headers["etag"] ?? ""
      #expect(tag == named.headers["etag"])
      let again = try await api.send("GET", Self.base + ".png", headers: [("If-None-Match", tag)])
      #expect(again.status == 304)
      #expect(again.body.isEmpty)
      let larger = try await api.send("GET", Self.base + ".png?dpi=200", headers: [("If-None-Match", tag)])
      #expect(larger.status == 200)
      #expect(api.renderer.calls.withLock { $0.count } == 3)
    }
  }

  @Test func marksOneBoxALine_andColumnsApart() {
    func box(_ left: Float, _ top: Float) -> Box { Box(left: left, top: top, right: left + 5, bottom: top + 10) }
    let boxes = [box(10, 0), box(15, 0), box(22, 1), box(10, 12), box(15, 12), box(300, 12)]
    let lines = Highlight.lines(boxes)
    #expect(
      lines == [
        Box(left: 10, top: 0, right: 27, bottom: 11), Box(left: 10, top: 12, right: 20, bottom: 22), box(300, 12),
      ])
  }
}
