import Core
import Testing

@Suite struct TraceIDTests {
  private let id = "4bf92f3577b34da6a3ce929d0e0e4736"

  @Test func readsTraceparent_asTheStandardWritesIt() {
    #expect(TraceID(traceparent: "00-\(id)-00f067aa0ba902b7-01")?.rawValue == id)
    // A later version may add fields; the trace id stays where it is.
    #expect(TraceID(traceparent: "cc-\(id)-00f067aa0ba902b7-01-what-comes")?.rawValue == id)
  }

  @Test(arguments: [
    "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
    "00-\u{FF14}bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  ])
  func refusesMalformedTraceparent(_ header: String) { #expect(TraceID(traceparent: header) == nil) }

  @Test(arguments: [
    "Root=1-5759e988-bd862e3fe1be46a994272793",
    "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3fe1be46a994272793",
    "Sampled=1; Root=1-5759E988-BD862E3FE1BE46A994272793",
  ])
  func readsAmazonsHeader(_ header: String) {
    #expect(TraceID(amazonTraceHeader: header)?.rawValue == "5759e988bd862e3fe1be46a994272793")
  }

  @Test(arguments: [
    "", "Root=", "Root=1-5759e988", "Root=2-5759e988-bd862e3fe1be46a994272793",
    "Self=1-5759e988-bd862e3fe1be46a994272793",
    "Root=1-5759e98-8bd862e3fe1be46a994272793", "Root=1-00000000-000000000000000000000000",
    "Root=1-5759e988-bd862e3fe1be46a99427279g",
    "Root=1-5759e988-bd862e3fe1be46a994272793-1", "Root=1--5759e988-bd862e3fe1be46a994272793",
  ])
  func refusesMalformedAmazonHeader(_ header: String) { #expect(TraceID(amazonTraceHeader: header) == nil) }

  @Test func makesRandomIDsThatItReads() {
    let ids = Set((0..<100).map { _ in TraceID.random() })
    #expect(ids.count == 100)
    for id in ids { #expect(TraceID(traceparent: "00-\(id)-00f067aa0ba902b7-01") == id) }
  }
}

@Suite struct CallerTests {
  @Test func readsAllCollections_orThoseAllowed() {
    let law = CollectionName(rawValue: "law")
    #expect(Caller.local.mayRead(law))
    #expect(Caller(id: "k", allowedCollections: [law]).mayRead(law))
    #expect(!Caller(id: "k", allowedCollections: [law]).mayRead(.default))
    #expect(!Caller(id: "k", allowedCollections: []).mayRead(.default))
  }
}
