export class HttpServer {
  listen(port: number): void {}
}
