# What jq has and the interpreter's library lacks or does differently.

# A name of a time zone would be looked up in files.
def strptime($format):
  if $format | contains("Q") then error("names of time zones (%Q) cannot be read") else strptime_utc($format) end;
def date: todate;

def toarray: if isarray then . else [.] end;
def IN(s): . as $x | any(s; . == $x);
def IN(source; s): any(source; IN(s));
def INDEX(stream; f): reduce stream as $row ({}; . + { ($row | f | tostring): $row });
def INDEX(f): INDEX(.[]; f);

def from_entries: reduce .[] as $x ({}; . + {
  ($x
    | if has("key") then .key elif has("k") then .k elif has("name") then .name
      elif has("Key") then .Key elif has("K") then .K elif has("Name") then .Name else null end
    | if isstring then . else tojson end):
  ($x
    | if has("value") then .value elif has("v") then .v
      elif has("Value") then .Value elif has("V") then .V else null end) });

def ascii: [.] | implode;
def trimstr($x): ltrimstr($x) | rtrimstr($x);

def cell(f): if . == null then "" elif isstring then f
  elif . >= [] then error("\(.) cannot be in a row") else tostring end;
def row(f): if isarray then map(cell(f)) else error("\(.) is not a row: an array is") end;
def @csv: row("\"" + (split("\"") | join("\"\"")) + "\"") | join(",");
def @tsv: row(split("\\") | join("\\\\") | split("\t") | join("\\t") | split("\n") | join("\\n")
  | split("\r") | join("\\r")) | join("\t");
