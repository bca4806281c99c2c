// SPDX-License-Identifier: Apache-2.0
// The help texts, and the command that a word was meant to be.
// Place: host/cli, for cli.cc.
#pragma once
#include <string>
#include <vector>

#include <boost/program_options/options_description.hpp>

#include "host/cli/command.h"

namespace foreflow::cli {

std::string general_help(const boost::program_options::options_description& globals);
std::string noun_help(const std::string& noun);
std::string command_help(const Command& command, const boost::program_options::options_description& own,
                         const boost::program_options::options_description& globals);

bool is_noun(const std::string& word);
// "unknown command 'vm lst'; did you mean 'vm list'?"
std::string unknown_command(const std::vector<std::string>& words);

}  // namespace foreflow::cli
