import HTTPClient
import QuarryTesting

@testable import AWS

extension MotoServer {
  func client(region: String = "eu-central-1") throws -> AWSClient {
    try AWSClient(
      environment: AWSEnvironment(variables: [
        "HOME": "/nowhere", "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": url,
      ]), region: region, http: HTTPClient())
  }
}
