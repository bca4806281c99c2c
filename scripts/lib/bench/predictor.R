# SPDX-License-Identifier: Apache-2.0
# R's forecast (Debian: r-cran-forecast) on the series of scripts/bench predictor.
# Use: Rscript predictor.R FILE SEASON HORIZON FORECASTS MODEL...
# FILE holds one series per line: "NAME,value,value,...". "model,series,fit,forecast" (seconds of processor time) goes to
# standard output, "model,series,step,q50,q90,q95,q99" to FORECASTS. auto.arima has no season where that is beyond what
# it can do, which is said by its name "auto.arima_no_season".
suppressMessages(library(forecast))

arguments <- commandArgs(trailingOnly = TRUE)
season <- as.integer(arguments[2])
horizon <- as.integer(arguments[3])
out <- file(arguments[4], "w")
levels <- c(80, 90, 98)  # whose upper ends are the .9, .95 and .99 quantiles

seconds <- function(work) {
  before <- proc.time()
  work()
  sum((proc.time() - before)[1:2])
}

# thetaf and stlf fit and forecast in one call: all of it counts as the fit.
models <- list(
  thetaf = list(fit = function(y) thetaf(y, h = horizon, level = levels), forecast = identity),
  stlf = list(fit = function(y) stlf(y, h = horizon, level = levels), forecast = identity),
  ets = list(fit = function(y) suppressWarnings(ets(y)),
             forecast = function(fit) forecast(fit, h = horizon, level = levels)),
  auto.arima = list(fit = function(y) auto.arima(y),
                    forecast = function(fit) forecast(fit, h = horizon, level = levels)),
  auto.arima_no_season = list(fit = function(y) auto.arima(ts(as.numeric(y))),
                              forecast = function(fit) forecast(fit, h = horizon, level = levels)))

# A warm-up, so that loading the library's code is nobody's cost.
invisible(lapply(models[c("thetaf", "ets")], function(model) model$forecast(model$fit(ts(sin(1:60) + 2, frequency = 4)))))

for (line in readLines(arguments[1])) {
  cells <- strsplit(line, ",")[[1]]
  y <- ts(as.numeric(cells[-1]), frequency = season)
  for (name in arguments[-(1:4)]) {
    model <- models[[name]]
    fit_seconds <- seconds(function() fit <<- model$fit(y))
    forecast_seconds <- seconds(function() ahead <<- model$forecast(fit))
    cat(sprintf("%s,%s,%g,%g\n", name, cells[1], fit_seconds, forecast_seconds))
    quantiles <- matrix(pmax(c(ahead$mean, ahead$upper), 0), nrow = horizon)
    cat(sprintf("%s,%s,%d,%.6g,%.6g,%.6g,%.6g\n", name, cells[1], seq_len(horizon), quantiles[, 1], quantiles[, 2],
                quantiles[, 3], quantiles[, 4]), file = out, sep = "")
  }
}
close(out)
