module github.com/stagemeter/stagemeter/e2e

go 1.26.0
