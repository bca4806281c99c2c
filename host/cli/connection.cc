// SPDX-License-Identifier: Apache-2.0
#include "host/cli/connection.h"

#include "common/toml_reader.h"

namespace foreflow::cli {
namespace {

Status read_user_file(const std::filesystem::path& file, Connection& connection) {
  if (std::error_code error; !std::filesystem::exists(file, error)) return {};
  auto document = TomlDocument::load(file);
  if (!document) return tl::unexpected(document.error());
  auto& root = document->root();
  root.read("manager", connection.manager);
  root.read("ca", connection.ca);
  root.read("certificate", connection.certificate);
  root.read("key", connection.key);
  root.finish();
  return document->check();
}

}  // namespace

Result<Connection> find_connection(const boost::program_options::variables_map& options,
                                   const Environment& environment) {
  Connection connection;
  if (const auto home = environment("HOME"); !home.empty())
    if (auto read = read_user_file(std::filesystem::path(home) / ".config/foreflow/cli.toml", connection); !read)
      return tl::unexpected(read.error());
  if (const auto manager = environment("FOREFLOW_MANAGER"); !manager.empty()) connection.manager = manager;
  if (const std::filesystem::path folder = environment("FOREFLOW_CERTS"); !folder.empty()) {
    connection.ca = folder / "ca.crt";
    connection.certificate = folder / "operator.crt";
    connection.key = folder / "operator.key";
  }
  if (options.count("manager") != 0) connection.manager = options["manager"].as<std::string>();
  if (options.count("ca") != 0) connection.ca = options["ca"].as<std::string>();
  if (options.count("cert") != 0) connection.certificate = options["cert"].as<std::string>();
  if (options.count("key") != 0) connection.key = options["key"].as<std::string>();
  return connection;
}

}  // namespace foreflow::cli
