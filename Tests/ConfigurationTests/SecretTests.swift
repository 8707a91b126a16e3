import Configuration
import Glibc
import Testing

@Suite struct SecretTests {
  @Test func neverPrints() {
    let text = "hunter2-S3CRET"
    struct Holder { let secret: Secret, setting: SecretSetting, list: [Secret] }
    let secret = Secret(text)
    let holder = Holder(secret: secret, setting: .literal(secret), list: [secret])
    var dumped = ""
    dump(holder, to: &dumped)
    var shown = [dumped, "\(secret)", String(reflecting: secret), "\(holder)", String(reflecting: holder)]
    shown.append("\(SecretSetting.literal(secret)) \(Optional(secret) as Any) \([secret]) \(["k": secret])")
    for child in Mirror(reflecting: secret).children { shown.append("\(child)") }
    for line in shown { #expect(!line.contains("S3CRET"), "\(line)") }
    #expect("\(secret)" == "***")
    #expect(secret.revealed == text)
    #expect((secret as Any) as? any Encodable == nil)
  }

  @Test func isShownMasked_orAsItsReference() throws {
    let reader = try reader(
      "a: S3CRET\nb: env:TOKEN\nc: literal:env:x\nd: vault:app/key\ne: {x: S3CRET}\nf: evn:S3CRET\ng: 'pass:S3CRET'",
      environment: ["QUARRY_H": "S3CRET", "QUARRY_I": "env:QUARRY_TOKEN", "QUARRY_TOKEN": "t"])
    func secret(_ key: String) -> SecretSetting? {
      reader.optional(key, .secret(schemes: ["env", "file", "vault"]), doc: "d")
    }
    guard case .literal(let a)? = secret("a"), case .reference(let b)? = secret("b"),
      case .literal(let c)? = secret("c"),
      case .reference(let d)? = secret("d"), case .literal(let g)? = secret("g"), case .literal? = secret("h"),
      case .reference? = secret("i")
    else {
      Issue.record("a secret was read wrongly")
      return
    }
    #expect(secret("e") == nil)
    #expect(secret("f") == nil)
    #expect(a.revealed == "S3CRET")
    #expect(b == SecretReference(scheme: "env", name: "TOKEN"))
    #expect(c.revealed == "env:x")
    #expect(d == SecretReference(scheme: "vault", name: "app/key"))
    #expect(g.revealed == "pass:S3CRET")
    let values = reader.effectiveValues.map { "\($0.key)=\($0.value)" }
    #expect(
      values.sorted() == [
        "a=***", "b=env:TOKEN", "c=***", "d=vault:app/key", "e=null", "f=null", "g=***", "h=***", "i=env:QUARRY_TOKEN",
      ])
    // QUARRY_TOKEN is known because a reference names it.
    #expect(
      messages(reader) == [
        "quarry.yaml: line 5, column 4: e: must be a secret: env:…, file:…, vault:…, or the text itself",
        "quarry.yaml: line 6, column 4: f: has an unknown scheme; did you mean 'env'?",
      ])
  }

  @Test func resolvesReferences() async throws {
    let path = "/tmp/quarry-secret-\(getpid())"
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
    defer { unlink(path) }
    #expect(write(descriptor, "from file\n", 10) == 10)
    close(descriptor)
    let environment = ["TOKEN": "from variable", "EMPTY": ""]
    func resolve(_ scheme: String, _ name: String) throws -> String {
      try SecretReference(scheme: scheme, name: name).resolveLocally(environment: environment).revealed
    }
    #expect(try resolve("env", "TOKEN") == "from variable")
    #expect(try resolve("file", path) == "from file")
    for (scheme, name) in [("env", "MISSING"), ("env", "EMPTY"), ("file", "/nonexistent"), ("vault", "x")] {
      #expect(throws: ConfigurationError.self) { try resolve(scheme, name) }
    }
    let setting = SecretSetting.reference(SecretReference(scheme: "vault", name: "k"))
    #expect(try await setting.resolve { Secret("from \($0)") }.revealed == "from vault:k")
  }
}
