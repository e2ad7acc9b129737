import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One node of OpenSearch on loopback: Main FOLDER HTTP_PORT TRANSPORT_PORT. Prints READY once it answers. */
public class Main {
  public static void main(String[] arguments) throws Exception {
    OpenSearchRunner runner = new OpenSearchRunner();
    runner.onBuild((number, settings) -> {
      settings.put("http.port", arguments[1]);
      settings.put("transport.port", arguments[2]);
      settings.put("network.host", "127.0.0.1");
      settings.put("discovery.type", "single-node");
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        runner.close();
      } catch (Exception error) {
        System.err.println(error);
      }
    }));
    runner.build(OpenSearchRunner.newConfigs().basePath(arguments[0]).clusterName("tests").numOfNode(1).useLogger());
    runner.ensureYellow();
    System.out.println("READY");
    System.out.flush();
    Thread.currentThread().join();
  }
}
