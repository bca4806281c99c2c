# SPDX-License-Identifier: Apache-2.0
# Writes what R's stats and forecast (Debian: r-base-core, r-cran-forecast) find on the series of simulated.h.
# Use: Rscript tests/unit/predictor/reference.R arima > tests/unit/predictor/arima_reference.h
#      Rscript tests/unit/predictor/reference.R smoothing > tests/unit/predictor/smoothing_reference.h
suppressMessages(library(forecast))

# The same arithmetic as simulated.h, so that no series has to be stored.
uniforms <- function(seed) {
  state <- seed
  function() {
    state <<- (state * 16807) %% 2147483647
    state / 2147483647
  }
}

simulated <- function(i) {
  uniform <- uniforms(1000 + i)
  normal <- function() sum(sapply(1:12, function(k) uniform())) - 6
  season <- c(1, 1, 4, 12)[i %% 4 + 1]
  kind <- i %/% 4 %% 5
  n <- 90 + 10 * (i %% 5)
  phi <- if (kind %in% c(0, 2, 4)) .3 + .5 * uniform() else 0
  theta <- if (kind %in% c(1, 2, 3)) -.8 + 1.4 * uniform() else 0
  seasonal_phi <- if (season > 1 && kind %in% c(0, 2)) .5 else 0
  seasonal_theta <- if (season > 1 && kind %in% c(3, 4)) -.5 else 0
  burn <- 60
  e <- sapply(1:(n + burn), function(k) normal())
  w <- numeric(n + burn)
  back <- function(x, t, lag) if (t > lag) x[t - lag] else 0
  for (t in seq_along(w))
    w[t] <- e[t] + phi * back(w, t, 1) + theta * back(e, t, 1) + seasonal_phi * back(w, t, season) +
      seasonal_theta * back(e, t, season)
  y <- w[(burn + 1):(n + burn)]
  if (kind == 3) for (t in 2:n) y[t] <- y[t] + y[t - 1]
  if (kind == 4) for (t in seq_len(n)) y[t] <- y[t] + back(y, t, season)
  ts(100 + y, frequency = season)
}

list_of <- function(x) paste0("{", paste(sprintf("%.12g", x), collapse = ", "), "}")

# The highest of the maxima that arima finds by ML: from its own start and, the likelihood has several, from others.
log_likelihood <- function(y, order, constant) {
  seasonal <- list(order = order[4:6], period = frequency(y))
  size <- sum(order[c(1, 3, 4, 6)])
  drift <- if (constant && order[2] + order[5] > 0) seq_along(y) else NULL
  maximum <- function(start) {
    init <- if (is.null(start)) NULL else c(rep(start, length.out = size), if (constant) NA)
    tryCatch(suppressWarnings(arima(y, order[1:3], seasonal, xreg = drift, include.mean = constant, method = "ML",
                                    init = init, optim.control = list(maxit = 500))$loglik), error = function(e) -Inf)
  }
  max(sapply(list(NULL, 0, .3, -.3, c(.5, -.5), c(-.5, .5)), maximum))
}

arima_cases <- function() {
  cat("// auto.arima's order (p, d, q, P, D, Q, season, constant), its AICc, and arima's log-likelihood at it by ML.\n")
  cat("struct ArimaCase {\n  int p, d, q, sp, sd, sq, season;\n  bool constant;\n  double aicc, log_likelihood;\n};\n")
  cat("inline constexpr std::array kArimaCases{\n")
  for (i in 0:99) {
    y <- simulated(i)
    found <- auto.arima(y, approximation = FALSE)
    order <- arimaorder(found)
    order <- c(order, rep(0, 7 - length(order)))[1:7]
    order[7] <- frequency(y)
    constant <- any(c("intercept", "drift") %in% names(coef(found)))
    cat(sprintf("    ArimaCase{%d, %d, %d, %d, %d, %d, %d, %s, %.9g, %.9g},\n", order[1], order[2], order[3], order[4],
                order[5], order[6], order[7], tolower(constant), found$aicc, log_likelihood(y, order, constant)))
  }
  cat("};\n")
}

ets_cases <- function() {
  cat("// ets of a given form: its parameters, initial states (season: from the first point on) and log-likelihood.\n")
  cat("struct EtsCase {\n  std::size_t series;\n  const char* form;\n  double alpha, beta, gamma, phi, level, slope;\n")
  cat("  std::vector<double> season;\n  double log_likelihood, aicc;\n};\n")
  cat("inline const std::vector<EtsCase> kEtsCases{\n")
  for (i in c(12, 14, 15, 18, 32, 35)) {
    y <- simulated(i)
    forms <- c("ANN", "AAN", "AAdN", "MNN", "MAN", "MAdN", "MMN")
    if (frequency(y) > 1) forms <- c(forms, "ANA", "AAdA", "MNA", "MNM", "MAM")
    for (form in forms) {
      fit <- ets(y, model = gsub("d", "", form), damped = grepl("d", form), restrict = FALSE,
                 allow.multiplicative.trend = TRUE)
      par <- function(name, other) if (name %in% names(fit$par)) fit$par[[name]] else other
      start <- fit$states[1, ]
      season <- rev(start[grepl("^s", names(start))])
      cat(sprintf("    {%d, \"%s\", %.12g, %.12g, %.12g, %.12g, %.12g, %.12g, %s, %.12g, %.12g},\n", i, form,
                  par("alpha", 0), par("beta", 0), par("gamma", 0), par("phi", 1), start[["l"]],
                  if ("b" %in% names(start)) start[["b"]] else 0,
                  if (length(season)) list_of(season) else "{}", fit$loglik, fit$aicc))
    }
  }
  cat("};\n\n// AICc of the form that ets chooses by itself, for series 0, 1, ...\n")
  cat("inline constexpr std::array kEtsAicc{\n   ")
  for (i in 0:39) cat(sprintf(" %.9g,", ets(simulated(i))$aicc))
  cat("\n};\n")
}

# The dynamic optimised model of Fiorucci et al. 2016 (their equations 11 to 15), straight from the paper: the line
# through the points so far comes from lm. No season. Returns the sum of squared errors and the forecasts.
theta_filter <- function(y, par, dynamic, h) {
  n <- length(y)
  whole <- coef(lm(y ~ seq_len(n)))
  level <- par[1]
  alpha <- par[2]
  theta <- par[3]
  squares <- 0
  means <- numeric(h)
  values <- y
  for (t in 1:(n + h)) {
    line <- if (!dynamic) whole
            else if (t == 1) c(0, 0)
            else if (t == 2) c(values[1], 0)
            else coef(lm(values[1:(t - 1)] ~ seq_len(t - 1)))
    faded <- (1 - alpha)^(t - 1)
    mean <- level + (1 - 1 / theta) * (faded * line[1] + (1 - (1 - alpha) * faded) / alpha * line[2])
    if (t <= n) squares <- squares + (y[t] - mean)^2
    else {
      means[t - n] <- mean
      values[t] <- mean
    }
    level <- alpha * values[t] + (1 - alpha) * level
  }
  list(squares = squares, means = means)
}

theta_optimised <- function(y, dynamic) {
  best <- NULL
  for (theta in c(1.5, 3, 10)) for (alpha in c(.2, .7)) {
    found <- optim(c(y[1] / 2, alpha, theta), function(par) theta_filter(y, par, dynamic, 0)$squares,
                   method = "L-BFGS-B", lower = c(-Inf, 1e-4, 1), upper = c(Inf, .9999, 50))
    if (is.null(best) || found$value < best$value) best <- found
  }
  c(list(mean_square = best$value / length(y)), theta_filter(y, best$par, dynamic, 6))
}

theta_cases <- function() {
  cat("\n// thetaf's forecasts.\nstruct ThetaCase {\n  std::size_t series;\n  std::vector<double> ahead;\n};\n")
  cat("inline const std::vector<ThetaCase> kThetaCases{\n")
  for (i in 0:39) cat(sprintf("    {%d, %s},\n", i, list_of(thetaf(simulated(i), h = 12)$mean)))
  cat("};\n\n// The optimised models, from the paper's equations with R's lm and optim.\n")
  cat("struct OptimisedThetaCase {\n  std::size_t series;\n  bool dynamic;\n  double mean_square;\n")
  cat("  std::vector<double> ahead;\n};\ninline const std::vector<OptimisedThetaCase> kOptimisedThetaCases{\n")
  for (i in c(0, 5, 8, 12, 13, 17)) for (dynamic in c(FALSE, TRUE)) {
    fit <- theta_optimised(as.numeric(simulated(i)), dynamic)
    cat(sprintf("    {%d, %s, %.12g, %s},\n", i, tolower(dynamic), fit$mean_square, list_of(fit$means)))
  }
  cat("};\n")
}

part <- commandArgs(TRUE)
cat("// SPDX-License-Identifier: Apache-2.0\n")
cat(sprintf("// Written by reference.R (forecast %s); not edited by hand.\n", packageVersion("forecast")))
cat("// clang-format off\n#pragma once\n#include <array>\n")
if (part == "smoothing") cat("#include <cstddef>\n#include <vector>\n")
cat("\nnamespace foreflow::predictor::reference {\n\n")
if (part == "arima") {
  arima_cases()
} else {
  ets_cases()
  theta_cases()
}
cat("\n}  // namespace foreflow::predictor::reference\n")
