# workerd with one socket and a host that loads hello into a new isolate for each
# path that is asked for, by the worker loader: its way to run code that comes
# while it runs. The port is given by the command line.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "host", worker = .host)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "host")],
);

const host :Workerd.Worker = (
  modules = [
    (name = "host.js", esModule = embed "host.js"),
    (name = "hello.js", text = embed "hello.js"),
  ],
  compatibilityDate = "2025-06-01",
  bindings = [(name = "LOADER", workerLoader = ())],
);
