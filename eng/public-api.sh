#!/usr/bin/env bash
# Writes the package's public API to src/Microsoft.ML.VisionModels/PublicAPI.Unshipped.txt, after a change that is meant.
# The build fails where the list and the code differ; the diff of the list is what a reviewer reads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../src/Microsoft.ML.VisionModels"
echo '#nullable enable' > PublicAPI.Unshipped.txt
symbols=$(dotnet build -v q -nologo -p:RunAnalyzers=true --no-incremental -p:TreatWarningsAsErrors=false | grep -oP "warning RS0016: Symbol '\K.*?(?=' is not part of the declared public API)" | LC_ALL=C sort -u)
printf '%s\n' "$symbols" >> PublicAPI.Unshipped.txt
