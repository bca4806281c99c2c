// SPDX-License-Identifier: Apache-2.0
// Where the manager is and who we are: options, then environment, then the user's file, then the defaults.
// Place: host/cli, for cli.cc.
#pragma once
#include <boost/program_options/variables_map.hpp>

#include "host/cli/cli.h"
#include "host/cli/client.h"

namespace foreflow::cli {

// kInvalidConfig: the user's file, with the line.
Result<Connection> find_connection(const boost::program_options::variables_map& options,
                                   const Environment& environment);

}  // namespace foreflow::cli
